import { type InteractionMatrix, type ItemLists, listItemsByUser } from '../interaction-matrix.ts';
import type { Recommender } from '../recommender.ts';
import { usersPerBlock } from '../scoring.ts';
import { chooseAlgebra } from './choose-algebra.ts';
import { selectHistories } from './histories.ts';
import type { LinearAlgebra } from './linear-algebra.ts';

export interface MeasureOptions {
  /** Length k of the ranked list. */
  readonly cutoff: number;
  /** Further interactions, besides train, that are never recommended. */
  readonly masked?: InteractionMatrix;
  /** Scores trained users from their histories, as if the model had not seen them. */
  readonly foldIn?: boolean;
  /** The users to measure; all with held-out items where absent. */
  readonly userRows?: Int32Array;
  readonly signal?: AbortSignal;
  readonly algebra?: LinearAlgebra;
}

/** Means over the users with held-out items. */
export interface RankingMeasure {
  readonly userCount: number;
  readonly recall: number;
  readonly ndcg: number;
  /** NDCG of each measured user, in row order: what confidence intervals are made of. */
  readonly ndcgByUser: Float64Array;
}

/**
 * Full ranking of all items for every user with held-out items, train and masked ones left out; binary gains, ideal list
 * of min(k, held-out) hits, equal scores by row. A score that is not finite ranks last.
 */
export async function measureRanking(
  recommender: Recommender,
  train: InteractionMatrix,
  heldOut: InteractionMatrix,
  options: MeasureOptions,
): Promise<RankingMeasure> {
  const { cutoff, algebra = chooseAlgebra() } = options;
  const histories = listItemsByUser(train);
  const known = options.masked ? listItemsByUser(train, options.masked) : histories;
  const wanted = listItemsByUser(heldOut);
  const users = (options.userRows ?? Int32Array.from({ length: train.userCount }, (_, user) => user)).filter(
    (user) => (wanted.offsets[user + 1] ?? 0) > (wanted.offsets[user] ?? 0),
  );
  const ndcgByUser = new Float64Array(users.length);
  const blockUsers = usersPerBlock(train.itemCount);
  let recall = 0;
  for (let start = 0; start < users.length; start += blockUsers) {
    options.signal?.throwIfAborted();
    const block = users.subarray(start, start + blockUsers);
    const scores = options.foldIn
      ? await recommender.scoreHistories(selectHistories(histories, block))
      : await recommender.scoreUsers(block);
    const excluded = selectHistories(known, block);
    const best = new Int32Array(block.length * cutoff);
    await algebra.selectBest({
      scores,
      rows: block.length,
      columns: train.itemCount,
      count: cutoff,
      excludedOffsets: excluded.offsets,
      excluded: excluded.items,
      out: best,
    });
    block.forEach((user, index) => {
      const rows = best.subarray(index * cutoff, (index + 1) * cutoff);
      const hits = judge(rows, new Set(itemsOf(wanted, user)), cutoff);
      recall += hits.recall;
      ndcgByUser[start + index] = hits.ndcg;
    });
  }
  const divisor = Math.max(1, users.length);
  const ndcg = ndcgByUser.reduce((sum, value) => sum + value, 0) / divisor;
  return { userCount: users.length, recall: recall / divisor, ndcg, ndcgByUser };
}

function itemsOf(lists: ItemLists, user: number): Int32Array {
  return lists.items.subarray(lists.offsets[user], lists.offsets[user + 1]);
}

function judge(rows: Int32Array, targets: Set<number>, cutoff: number): { recall: number; ndcg: number } {
  let hits = 0;
  let gain = 0;
  rows.forEach((row, rank) => {
    if (!targets.has(row)) return;
    hits += 1;
    gain += 1 / Math.log2(rank + 2);
  });
  let ideal = 0;
  for (let rank = 0; rank < Math.min(cutoff, targets.size); rank++) ideal += 1 / Math.log2(rank + 2);
  return { recall: hits / targets.size, ndcg: ideal === 0 ? 0 : gain / ideal };
}
