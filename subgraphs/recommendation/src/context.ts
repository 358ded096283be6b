import type { Db } from '@kindred/db/client';
import type { Viewer } from '@kindred/domain/viewer';
import type { Figures } from './figures.ts';
import type { Serving } from './serving.ts';

/** What every resolver of one request shares. */
export interface RecommendationContext {
  viewer: Viewer;
  db: Db;
  serving: Serving;
  figures: Pick<Figures, 'countAnswer'>;
}
