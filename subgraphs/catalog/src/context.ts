import type { Db } from '@kindred/db/client';
import type { Viewer } from '@kindred/domain/viewer';
import { createLoaders, type Loaders } from './loaders.ts';

/** What every resolver of one request shares. */
export interface CatalogContext {
  viewer: Viewer;
  db: Db;
  loaders: Loaders;
}

export function createContext(db: Db, viewer: Viewer): CatalogContext {
  return { viewer, db, loaders: createLoaders(db, viewer) };
}
