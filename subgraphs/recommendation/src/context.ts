import type { Db } from '@kindred/db/client';
import type { Viewer } from '@kindred/domain/viewer';
import type { Admission } from './admission.ts';
import type { CanaryTally } from './canary-tally.ts';
import type { Figures } from './figures.ts';
import type { HistoryReader } from './read-history.ts';
import type { ResultCache } from './result-cache.ts';
import type { Serving } from './serving.ts';

/** What all requests share. */
export interface RecommendationServices {
  db: Db;
  serving: Serving;
  historyReader: HistoryReader;
  results: ResultCache;
  admission: Admission;
  figures: Pick<Figures, 'countAnswer'>;
  canaries: Pick<CanaryTally, 'count'>;
  /** What attribution tokens are signed with. */
  attributionSecret: string;
}

/** What every resolver of one request shares. */
export interface RecommendationContext extends RecommendationServices {
  viewer: Viewer;
  /** When the gateway stops waiting, by `performance.now()`; null when it did not say. */
  deadlineAt: number | null;
}
