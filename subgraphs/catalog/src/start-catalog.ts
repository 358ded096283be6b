import { readFile } from 'node:fs/promises';
import { createPlanGuard } from '@kindred/db/plan-limits';
import { startSubgraph, type RunningServer, type SubgraphOptions } from '@kindred/service/subgraph-server';
import { createContext, type CatalogContext, type CatalogServices } from './context.ts';
import { addFileRoutes } from './file-routes.ts';
import { createItemCache } from './item-cache.ts';
import { findItemEntities } from './references.ts';
import { resolvers } from './resolvers.ts';

export interface CatalogOptions extends Omit<CatalogServices, 'itemCache' | 'planGuard' | 'attributionSecret'> {
  logger: SubgraphOptions<CatalogContext>['logger'];
  env: SubgraphOptions<CatalogContext>['env'];
  /** What items in memory may take. */
  itemCacheBytes: number;
}

/** Serves the catalog subgraph over connections that stay their caller's to close. */
export async function startCatalog(options: CatalogOptions): Promise<RunningServer> {
  const { db, events, histories, objects, importWorkflows, logger, env, itemCacheBytes } = options;
  const itemCache = createItemCache({ db, events, logger, maxBytes: itemCacheBytes });
  const services = {
    db,
    events,
    itemCache,
    histories,
    objects,
    importWorkflows,
    planGuard: createPlanGuard(),
    attributionSecret: env.internalTokenSecret,
  };
  const server = await startSubgraph<CatalogContext>({
    name: 'catalog',
    typeDefs: await readFile(new URL('../schema.graphql', import.meta.url), 'utf8'),
    resolvers,
    entities: { Item: findItemEntities },
    env,
    logger,
    createContext: (viewer, request) => createContext(services, viewer, request),
    routes: (app, admit) => addFileRoutes(app, admit, services),
    // Not Redis: without it items are read from the database, and recommendations read histories there. Not Temporal and
    // the object store: without them nothing but imports fails.
    readiness: { postgres: () => db.ping() },
  });
  return {
    ...server,
    drain: async () => {
      itemCache.close();
      await server.drain();
    },
  };
}
