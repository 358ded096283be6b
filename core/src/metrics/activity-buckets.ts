import type { EvaluationCase } from './evaluation-case.ts';
import { type ListQuality, meanOf } from './list-quality.ts';

/** Users with a number of training items in `[from, below)`; `below` is null in the last bucket. */
export interface ActivityBucket {
  readonly from: number;
  readonly below: number | null;
  readonly userCount: number;
  readonly recall: number;
  readonly ndcg: number;
}

/** Newcomers, and then each bucket about twice as active as the one before. */
const BOUNDS = [0, 1, 5, 10, 20, 50, 100, 200];

/**
 * Mean quality of users by how many distinct items they have in training, buckets without users left out: a model that
 * serves only the active ones is seen here. `bounds` rise from 0, the first value of each bucket.
 */
export function measureByActivity(
  quality: ListQuality,
  { userRows, activity }: Pick<EvaluationCase, 'userRows' | 'activity'>,
  bounds: readonly number[] = BOUNDS,
): ActivityBucket[] {
  return bounds.flatMap((from, index) => {
    const below = bounds[index + 1] ?? null;
    const isIn = (_: number, position: number) => {
      const count = activity[userRows[position] as number] as number;
      return count >= from && (below === null || count < below);
    };
    const recall = quality.recall.filter(isIn);
    if (recall.length === 0) return [];
    const ndcg = quality.ndcg.filter(isIn);
    return [{ from, below, userCount: recall.length, recall: meanOf(recall), ndcg: meanOf(ndcg) }];
  });
}
