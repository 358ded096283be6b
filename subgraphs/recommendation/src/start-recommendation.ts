import { readFile } from 'node:fs/promises';
import { type RunningServer, startSubgraph, type SubgraphOptions } from '@kindred/service/subgraph-server';
import type { RecommendationContext } from './context.ts';
import { createFigures } from './figures.ts';
import { resolvers } from './resolvers.ts';
import { createServing, type ServingOptions } from './serving.ts';

/** Serves the recommendation subgraph over a database, an object store and an event bus that stay their caller's to close. */
export async function startRecommendation(
  options: Omit<ServingOptions, 'figures'> & { env: SubgraphOptions<RecommendationContext>['env'] },
): Promise<RunningServer> {
  const { db, logger, env } = options;
  const figures = createFigures();
  const serving = createServing({ ...options, figures });
  const server = await startSubgraph<RecommendationContext>({
    name: 'recommendation',
    typeDefs: await readFile(new URL('../schema.graphql', import.meta.url), 'utf8'),
    resolvers,
    env,
    logger,
    createContext: (viewer) => ({ viewer, db, serving, figures }),
    // Not Redis and not the object store: what is in memory answers without them.
    readiness: { postgres: () => db.ping() },
    addMetrics: (metrics) => figures.show(metrics, serving),
  });
  return {
    ...server,
    drain: async () => {
      await server.drain();
      await serving.close();
    },
  };
}
