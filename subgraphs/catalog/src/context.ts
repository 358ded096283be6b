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
  /** Its signal is made when it is looked at, which few requests do. */
  request: Pick<SubgraphRequest, 'signal'>;
}

export function createContext(
  services: CatalogServices,
  viewer: Viewer,
  request: CatalogContext['request'],
): CatalogContext {
  return { ...services, viewer, request, loaders: createLoaders({ ...services, viewer }) };
}
