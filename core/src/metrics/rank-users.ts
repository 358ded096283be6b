import { availableParallelism } from 'node:os';
import { setImmediate } from 'node:timers/promises';
import type { ItemLists } from '../interaction-matrix.ts';
import { chooseAlgebra } from '../models/choose-algebra.ts';
import { selectHistories } from '../models/histories.ts';
import { loadRankingAddon, type PackedItems, type RankingAddonState } from '../ranking-addon.ts';
import { topRows, usersPerBlock } from '../scoring.ts';
import { type EvaluationCase, itemsOf } from './evaluation-case.ts';
import { rankByReference } from './rank-by-reference.ts';
import { checkRanker, checkValues, type Ranker, type ScoringRanker, type VectorRanker } from './ranker.ts';

/** The best `cutoff` items of some users. */
export interface TopLists {
  readonly cutoff: number;
  readonly userRows: Int32Array;
  /** `[userRows.length, cutoff]`: item rows best first, equal scores by row; -1 after the last where a list is shorter. */
  readonly itemRows: Int32Array;
  /** What ranked, for the record: `native avx512, 2 threads`, or `reference` and why. */
  readonly engine: string;
}

export interface RankingOptions {
  /** Length of the lists, a whole number >= 1. */
  readonly cutoff: number;
  /** Threads of the native code; all processors where absent. The result does not depend on it. */
  readonly threads?: number | undefined;
  /** `auto`, the default, is native code where its addon loads and else plain TypeScript, with equal results. */
  readonly engine?: 'auto' | 'native' | 'reference' | undefined;
  readonly addonState?: RankingAddonState | undefined;
}

export interface AsyncRankingOptions extends RankingOptions {
  /** Ends the ranking between two blocks of users with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Native code was asked for by name and its addon does not load; the message says why. */
export class RankingUnavailableError extends Error {
  constructor(reason: string) {
    super(`Native ranking was asked for, but ${reason}.`);
    this.name = 'RankingUnavailableError';
  }
}

/**
 * Full ranking, never sampled, of all items that a user does not know, for every user of the case; blocks its thread.
 * Native and reference give the same rows: float32 finds candidates within a proven error, float64 decides.
 * @throws RangeError when the ranker does not fit the case; ScoreNotFiniteError; RankingUnavailableError.
 */
export function rankUsers(ranker: Ranker, data: EvaluationCase, options: RankingOptions): TopLists {
  const { cutoff } = checkCutoff(options);
  checkRanker(ranker, data.userCount, data.itemCount);
  const { userRows } = data;
  if ('scores' in ranker)
    return { cutoff, userRows, itemRows: rankForAll(ranker.scores, data, cutoff), engine: 'order' };
  const native = packItems(ranker, options);
  if ('reason' in native) {
    const itemRows = rankByReference(ranker, userRows, data.known, cutoff);
    return { cutoff, userRows, itemRows, engine: `reference (${native.reason})` };
  }
  const { items, threads } = native;
  const engine = describe(native);
  try {
    return { cutoff, userRows, itemRows: items.rank(...gather(ranker, userRows, data.known), cutoff, threads), engine };
  } finally {
    items.close();
  }
}

/** Numbers of users between two looks at the signal. */
const NATIVE_BLOCK = 8192;
const PLAIN_BLOCK = 64;

/**
 * As `rankUsers`, with the native work on the libuv pool, and for models that have scores only.
 * @throws what `rankUsers` throws; the reason of `signal`.
 */
export async function rankUsersAsync(
  ranker: Ranker | ScoringRanker,
  data: EvaluationCase,
  options: AsyncRankingOptions,
): Promise<TopLists> {
  const { cutoff, signal } = checkCutoff(options);
  signal?.throwIfAborted();
  if ('scores' in ranker) return rankUsers(ranker, data, options);
  const { rankBlock, blockSize, engine, close } = createBlockRanker(ranker, data, options);
  const itemRows = new Int32Array(data.userRows.length * cutoff);
  try {
    for (let start = 0; start < data.userRows.length; start += blockSize) {
      const block = data.userRows.subarray(start, start + blockSize);
      itemRows.set(await rankBlock(block), start * cutoff);
      options.onProgress?.(start + block.length, data.userRows.length);
      signal?.throwIfAborted();
    }
  } finally {
    close();
  }
  return { cutoff, userRows: data.userRows, itemRows, engine };
}

interface BlockRanker {
  readonly rankBlock: (userRows: Int32Array) => Promise<Int32Array>;
  readonly blockSize: number;
  readonly engine: string;
  readonly close: () => void;
}

const NOTHING_HELD = () => undefined;

function createBlockRanker(
  ranker: VectorRanker | ScoringRanker,
  data: EvaluationCase,
  options: AsyncRankingOptions,
): BlockRanker {
  const { cutoff } = options;
  if ('scoreUsers' in ranker) {
    const rankBlock = (users: Int32Array) => rankScores(ranker, data, users, cutoff);
    const blockSize = usersPerBlock(data.itemCount);
    return { rankBlock, blockSize, engine: 'scores of the model', close: NOTHING_HELD };
  }
  checkRanker(ranker, data.userCount, data.itemCount);
  const native = packItems(ranker, options);
  if ('reason' in native) {
    const rankBlock = async (users: Int32Array) => {
      await setImmediate();
      return rankByReference(ranker, users, data.known, cutoff);
    };
    return { rankBlock, blockSize: PLAIN_BLOCK, engine: `reference (${native.reason})`, close: NOTHING_HELD };
  }
  const { items, threads } = native;
  const rankBlock = (users: Int32Array) => items.rankAsync(...gather(ranker, users, data.known), cutoff, threads);
  return { rankBlock, blockSize: NATIVE_BLOCK, engine: describe(native), close: () => items.close() };
}

function checkCutoff<Options extends RankingOptions>(options: Options): Options {
  if (!(Number.isInteger(options.cutoff) && options.cutoff >= 1)) {
    throw new RangeError(`cutoff must be a whole number >= 1, got ${options.cutoff}.`);
  }
  return options;
}

interface NativeRanking {
  readonly items: PackedItems;
  readonly threads: number;
}

function packItems(ranker: VectorRanker, options: RankingOptions): NativeRanking | { readonly reason: string } {
  const { engine = 'auto', threads = availableParallelism(), addonState = loadRankingAddon() } = options;
  if (engine === 'reference') return { reason: 'asked for' };
  if (addonState.addon) {
    return { items: new addonState.addon.PackedItems(ranker.itemVectors, ranker.dimension, ''), threads };
  }
  if (engine === 'native') throw new RankingUnavailableError(addonState.reason);
  return { reason: addonState.reason };
}

function describe({ items, threads }: NativeRanking): string {
  return `native ${items.kernels}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`;
}

/** The vectors and known items of `userRows` (ascending) as the addon takes them; views where they are all users. */
function gather(
  { userVectors, dimension }: VectorRanker,
  userRows: Int32Array,
  known: ItemLists,
): [Float32Array, Int32Array, Int32Array] {
  if (userRows.length === known.offsets.length - 1) return [userVectors, known.offsets, known.items];
  const vectors = new Float32Array(userRows.length * dimension);
  const offsets = new Int32Array(userRows.length + 1);
  userRows.forEach((user, index) => {
    vectors.set(userVectors.subarray(user * dimension, (user + 1) * dimension), index * dimension);
    offsets[index + 1] = (offsets[index] as number) + itemsOf(known, user).length;
  });
  const items = new Int32Array(offsets.at(-1) as number);
  userRows.forEach((user, index) => items.set(itemsOf(known, user), offsets[index]));
  return [vectors, offsets, items];
}

/** One order of all items serves everybody: each user takes the first that are not known. */
function rankForAll(scores: Float64Array, data: EvaluationCase, cutoff: number): Int32Array {
  const order = topRows(scores, scores.length);
  const rows = new Int32Array(data.userRows.length * cutoff).fill(-1);
  const knownTo = new Int32Array(scores.length).fill(-1);
  data.userRows.forEach((user, index) => {
    for (const item of itemsOf(data.known, user)) knownTo[item] = user;
    let length = 0;
    for (let at = 0; at < order.length && length < cutoff; at++) {
      const row = order[at] as number;
      if (knownTo[row] !== user) rows[index * cutoff + length++] = row;
    }
  });
  return rows;
}

async function rankScores(
  ranker: ScoringRanker,
  { itemCount, known }: EvaluationCase,
  users: Int32Array,
  cutoff: number,
): Promise<Int32Array> {
  const scores = await ranker.scoreUsers(users);
  checkValues('scores', scores, users.length * itemCount);
  const { offsets: excludedOffsets, items: excluded } = selectHistories(known, users);
  const out = new Int32Array(users.length * cutoff);
  const selection = { scores, rows: users.length, columns: itemCount, count: cutoff, excludedOffsets, excluded, out };
  await chooseAlgebra().selectBest(selection);
  return out;
}
