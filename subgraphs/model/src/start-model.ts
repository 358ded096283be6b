import { readFile } from 'node:fs/promises';
import { type RunningServer, startSubgraph, type SubgraphOptions } from '@kindred/service/subgraph-server';
import { createContext, type ModelContext, type ModelDeps } from './context.ts';
import { addFileRoutes } from './file-routes.ts';
import { resolvers } from './resolvers.ts';
import { createRunReader } from './run-reader.ts';

/** Serves the model subgraph over connections that stay their caller's to close. */
export async function startModel(
  options: ModelDeps & { env: SubgraphOptions<ModelContext>['env'] },
): Promise<RunningServer> {
  const { db, env, logger, ...deps } = options;
  const { events, trainings } = deps;
  const services = { ...deps, db, logger, runReader: createRunReader(db) };
  return startSubgraph<ModelContext>({
    name: 'model',
    typeDefs: await readFile(new URL('../schema.graphql', import.meta.url), 'utf8'),
    resolvers,
    env,
    logger,
    createContext: (viewer, request) => createContext(services, viewer, request),
    routes: (app, admit) => addFileRoutes(app, admit, services),
    // Not the object store: without it nothing but files of batches fails.
    readiness: { postgres: () => db.ping(), redis: () => events.ping(), temporal: () => trainings.ping() },
  });
}
