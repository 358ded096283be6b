import { readFile } from 'node:fs/promises';
import type { Db } from '@kindred/db/client';
import { startSubgraph, type RunningServer, type SubgraphOptions } from '@kindred/service/subgraph-server';
import { createContext, type CatalogContext } from './context.ts';
import { resolvers } from './resolvers.ts';

/** Serves the catalog subgraph over a database that stays its caller's to close. */
export async function startCatalog(options: {
  db: Db;
  logger: SubgraphOptions<CatalogContext>['logger'];
  env: SubgraphOptions<CatalogContext>['env'];
}): Promise<RunningServer> {
  const { db, logger, env } = options;
  return startSubgraph<CatalogContext>({
    name: 'catalog',
    typeDefs: await readFile(new URL('../schema.graphql', import.meta.url), 'utf8'),
    resolvers,
    env,
    logger,
    createContext: (viewer) => createContext(db, viewer),
    readiness: { postgres: () => db.ping() },
  });
}
