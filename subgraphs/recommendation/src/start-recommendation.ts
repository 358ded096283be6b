import { readFile } from 'node:fs/promises';
import { type RunningServer, startSubgraph, type SubgraphOptions } from '@kindred/service/subgraph-server';
import type { RecommendationContext } from './context.ts';
import { resolvers } from './resolvers.ts';
import { createServing, type ServingOptions } from './serving.ts';

/** Serves the recommendation subgraph over connections that stay their caller's to close. */
export async function startRecommendation(
  options: ServingOptions & { env: SubgraphOptions<RecommendationContext>['env'] },
): Promise<RunningServer> {
  const { db, events, objects, logger, env } = options;
  const serving = createServing(options);
  const server = await startSubgraph<RecommendationContext>({
    name: 'recommendation',
    typeDefs: await readFile(new URL('../schema.graphql', import.meta.url), 'utf8'),
    resolvers,
    env,
    logger,
    createContext: (viewer) => ({ viewer, db, serving }),
    readiness: { postgres: () => db.ping(), redis: () => events.ping(), objectStore: () => objects.ping() },
  });
  return {
    ...server,
    drain: async () => {
      await server.drain();
      await serving.close();
    },
  };
}
