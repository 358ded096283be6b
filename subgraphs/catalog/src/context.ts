import type { Db } from '@kindred/db/client';
import type { PlanGuard } from '@kindred/db/plan-limits';
import type { Viewer } from '@kindred/domain/viewer';
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
}

/** What every resolver of one request shares. */
export interface CatalogContext extends CatalogServices {
  viewer: Viewer;
  loaders: Loaders;
}

export function createContext(services: CatalogServices, viewer: Viewer): CatalogContext {
  return { ...services, viewer, loaders: createLoaders({ ...services, viewer }) };
}
