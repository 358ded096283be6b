import type { TunableIndex } from './faiss-index.ts';
import type { SearchResult, VectorIndex } from './index-contract.ts';

/** The recall is measured among so many best rows. */
export const RECALL_AT = 20;
const MOST_SAMPLE_QUERIES = 500;
/** The breadth of a graph search below which FAISS finds little, and beyond which lists are faster. */
const EF_SEARCH = { least: 16, most: 512 };

/** Share of the exact best k rows that `index` finds with its own settings, a mean over `queries`, in [0, 1]. */
export async function measureRecall(
  index: VectorIndex,
  exact: VectorIndex,
  queries: Float32Array,
  k: number,
): Promise<number> {
  return compareRows((await index.search(queries, k)).rows, (await exact.search(queries, k)).rows, k);
}

function compareRows(found: Int32Array, wanted: Int32Array, k: number): number {
  let hits = 0;
  for (let start = 0; start < wanted.length; start += k) {
    const own = new Set(found.subarray(start, start + k));
    for (const row of wanted.subarray(start, start + k)) hits += own.has(row) ? 1 : 0;
  }
  return hits / wanted.length;
}

/** What tuning found. */
export interface Tuning {
  readonly recallAt20: number;
  /** Inverted lists visited or breadth of the graph search; null for a form that has neither. */
  readonly breadth: number | null;
}

/**
 * Sets and records the least breadth that finds `floor` of the exact best 20 for a sample of `queries`, the greatest where
 * none does: doubled until one does, then halved in between.
 */
export async function tuneIndex(
  index: TunableIndex,
  exact: VectorIndex,
  { queries, floor }: { queries: Float32Array; floor: number },
): Promise<Tuning> {
  const sample = sampleRows(queries, index.dimension);
  const k = Math.min(RECALL_AT, index.size);
  const wanted = (await exact.search(sample, k)).rows;
  const measure = async (search: Promise<SearchResult>) => compareRows((await search).rows, wanted, k);
  const { least, most } = breadthsOf(index.factory ?? '');
  if (most === 0) {
    const recallAt20 = await measure(index.search(sample, k));
    index.setRecallAt20(recallAt20);
    return { recallAt20, breadth: null };
  }
  const recallAt = (breadth: number) => measure(index.search(sample, k, { nprobe: breadth, efSearch: breadth }));
  let [tooLow, breadth] = [least - 1, least];
  let recallAt20 = await recallAt(breadth);
  while (recallAt20 < floor && breadth < most) {
    tooLow = breadth;
    breadth = Math.min(breadth * 2, most);
    recallAt20 = await recallAt(breadth);
  }
  // An eighth more than is needed costs less than to find it out.
  while (recallAt20 >= floor && breadth - tooLow > Math.max(1, breadth >> 3)) {
    const middle = (tooLow + breadth) >> 1;
    const recall = await recallAt(middle);
    if (recall >= floor) [breadth, recallAt20] = [middle, recall];
    else tooLow = middle;
  }
  index.setDefaultBreadth(breadth);
  index.setRecallAt20(recallAt20);
  return { recallAt20, breadth };
}

/** Zeros for a form whose searches have no breadth. */
function breadthsOf(factory: string): { least: number; most: number } {
  if (factory.startsWith('HNSW')) return EF_SEARCH;
  const lists = Number(/^IVF(\d+)/.exec(factory)?.[1] ?? 0);
  return { least: Math.min(1, lists), most: lists };
}

/** At most 500 rows, evenly spread over the table. */
function sampleRows(table: Float32Array, dimension: number): Float32Array {
  const count = table.length / dimension;
  if (count <= MOST_SAMPLE_QUERIES) return table;
  const sample = new Float32Array(MOST_SAMPLE_QUERIES * dimension);
  for (let index = 0; index < MOST_SAMPLE_QUERIES; index++) {
    const row = Math.floor((index * count) / MOST_SAMPLE_QUERIES);
    sample.set(table.subarray(row * dimension, (row + 1) * dimension), index * dimension);
  }
  return sample;
}
