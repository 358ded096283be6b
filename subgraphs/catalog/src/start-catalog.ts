import { readFile } from 'node:fs/promises';
import type { Db } from '@kindred/db/client';
import { createPlanGuard } from '@kindred/db/plan-limits';
import type { EventBus } from '@kindred/service/event-bus';
import { startSubgraph, type RunningServer, type SubgraphOptions } from '@kindred/service/subgraph-server';
import type { UserHistories } from '@kindred/service/user-histories';
import { createContext, type CatalogContext } from './context.ts';
import { createItemCache } from './item-cache.ts';
import { resolvers } from './resolvers.ts';

export interface CatalogOptions {
  db: Db;
  events: EventBus;
  histories: Pick<UserHistories, 'add'>;
  logger: SubgraphOptions<CatalogContext>['logger'];
  env: SubgraphOptions<CatalogContext>['env'];
  /** What items in memory may take. */
  itemCacheBytes: number;
}

/** Serves the catalog subgraph over a database, an event bus and histories that stay their caller's to close. */
export async function startCatalog(options: CatalogOptions): Promise<RunningServer> {
  const { db, events, histories, logger, env, itemCacheBytes } = options;
  const itemCache = createItemCache({ db, events, logger, maxBytes: itemCacheBytes });
  const services = {
    db,
    itemCache,
    histories,
    planGuard: createPlanGuard(),
    attributionSecret: env.internalTokenSecret,
  };
  const server = await startSubgraph<CatalogContext>({
    name: 'catalog',
    typeDefs: await readFile(new URL('../schema.graphql', import.meta.url), 'utf8'),
    resolvers,
    env,
    logger,
    createContext: (viewer) => createContext(services, viewer),
    // Not Redis: without it items are read from the database, and recommendations read histories there.
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
