import type { Db } from '@kindred/db/client';
import type { PlanGuard } from '@kindred/db/plan-limits';
import type { Viewer } from '@kindred/domain/viewer';
import type { EventBus } from '@kindred/service/event-bus';
import type { JobWorkflows } from '@kindred/service/job-workflows';
import type { ObjectStore } from '@kindred/service/object-store';
import type { SubgraphRequest } from '@kindred/service/subgraph-server';
import type { UserHistories } from '@kindred/service/user-histories';
import type { ItemCache } from './item-cache.ts';
import { createLoaders, type Loaders } from './loaders.ts';

/** What all requests share. */
export interface CatalogServices {
  db: Db;
  itemCache: ItemCache;
  histories: Pick<UserHistories, 'add'>;
  planGuard: PlanGuard;
  /** What attribution tokens are verified with. */
  attributionSecret: string;
  events: EventBus;
  objects: ObjectStore;
  importWorkflows: JobWorkflows;
}

/** What every resolver of one request shares. */
export interface CatalogContext extends CatalogServices {
  viewer: Viewer;
  loaders: Loaders;
  /** Aborted when the client goes away or the server drains. */
  signal: AbortSignal;
}

export function createContext(
  services: CatalogServices,
  viewer: Viewer,
  request: Pick<SubgraphRequest, 'signal'>,
): CatalogContext {
  return {
    ...services,
    viewer,
    // Its making costs more than most requests, of which few look at it.
    get signal() {
      return request.signal;
    },
    loaders: createLoaders({ ...services, viewer }),
  };
}
