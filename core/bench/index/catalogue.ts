import { nextBelow, nextNormal, type RandomState, seedRandom } from '../../src/random.ts';

/** Vectors to be searched, and vectors to search with. */
export interface Catalogue {
  readonly dimension: number;
  /** `[size, dimension]` */
  readonly items: Float32Array;
  /** `[queryCount, dimension]` */
  readonly queries: Float32Array;
}

/** Standard deviation of the log of norms: LightGCN trained on ml-latest-small has .30 (softmax) and .33 (BPR). */
const NORM_SPREAD = 0.3;
/** Of a vector about its cluster's centre, which has length 1. */
const OWN_PART = 0.8;

/**
 * Vectors like trained ones, from a seed: as many clusters as the root of their number, of very unequal sizes, norms that
 * differ by a log-normal factor, and users between two clusters.
 */
export function createCatalogue(size: number, { dimension = 64, queryCount = 1000, seed = 1 } = {}): Catalogue {
  const random = seedRandom(seed);
  const clusterCount = Math.max(20, Math.floor(Math.sqrt(size)));
  const centres = Array.from({ length: clusterCount }, () => nextDirection(random, dimension));
  // The product of two uniform numbers: a few clusters hold many.
  const nextCentre = () =>
    centres[Math.floor((nextBelow(random, 2 ** 16) / 2 ** 32) * nextBelow(random, clusterCount) * 2 ** 16)];
  const items = new Float32Array(size * dimension);
  const queries = new Float32Array(queryCount * dimension);
  const fill = (row: Float32Array, centre: Float32Array | undefined, other: Float32Array | undefined) => {
    const own = nextDirection(random, dimension);
    const norm = Math.exp(NORM_SPREAD * nextNormal(random));
    for (let at = 0; at < dimension; at++) {
      row[at] = norm * ((centre?.[at] ?? 0) + 0.5 * (other?.[at] ?? 0) + OWN_PART * (own[at] ?? 0));
    }
  };
  for (let item = 0; item < size; item++) {
    fill(items.subarray(item * dimension, (item + 1) * dimension), nextCentre(), undefined);
  }
  for (let query = 0; query < queryCount; query++) {
    fill(queries.subarray(query * dimension, (query + 1) * dimension), nextCentre(), nextCentre());
  }
  return { dimension, items, queries };
}

function nextDirection(random: RandomState, dimension: number): Float32Array {
  const vector = Float32Array.from({ length: dimension }, () => nextNormal(random));
  const norm = Math.hypot(...vector);
  return vector.map((value) => value / norm);
}
