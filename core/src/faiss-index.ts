import { copyFile } from 'node:fs/promises';
import type { FaissAddon, NativeFaissIndex } from './faiss-addon.ts';
import { appendTrailer, type IndexTrailer, readTrailer } from './faiss-file.ts';
import { checkSearch, checkVectors, type VectorIndex, VectorIndexError } from './index-contract.ts';
import { toNativeOptions } from './native-search.ts';
import { writeIndexFile } from './write-index-file.ts';

/** A FAISS index with the means to tune it before it is used. */
export interface TunableIndex extends VectorIndex {
  /** Sets the inverted lists that searches of an IVF index visit by default, or the breadth of a graph search (HNSW). */
  setDefaultBreadth(breadth: number): void;
  /** Records the measured recall, which is written with the index. */
  setRecallAt20(recall: number): void;
  /** Records why there is an index of this kind, which is written with it. */
  setReason(reason: string): void;
  setNotice(notice: string): void;
}

/**
 * Trains and fills a FAISS index over `vectors` (`[size, dimension]`, read in place while the promise is pending) for
 * the inner product. Deterministic for one FAISS version, but for HNSW, which several threads may build.
 * @throws VectorIndexError WRONG_DIMENSION, NOT_FINITE, BAD_ARGUMENT for a factory string outside the forms below;
 * FAILED with FAISS's message for one that does not suit the dimension or too few vectors to train on.
 */
export async function buildFaissIndex(
  addon: FaissAddon,
  vectors: Float32Array,
  dimension: number,
  factory: string,
): Promise<TunableIndex> {
  await checkVectors(vectors, dimension);
  checkFactory(factory);
  const native = await translated(addon.build(vectors, dimension, factory));
  return wrap(native, { factory, recallAt20: null, reason: null }, null);
}

/**
 * The forms that are tried here. FAISS aborts the process on some others (`IVF0,Flat` fails an assertion); PQ without
 * `np` (no polysemous training, which this search never uses) trains for 20 s on 3,000 vectors instead of 0.1 s.
 */
const FACTORY =
  /^(?:IVF[1-9]\d{0,5},)?(?:Flat|SQ[468]|SQfp16|PQ[1-9]\d{0,2}(?:x[48])?np)$|^HNSW(?:[2-9]|[1-9]\d{1,2})(?:,Flat)?$/;

/** @throws VectorIndexError BAD_ARGUMENT for a factory string of another form than `Flat`, `SQ8`, `PQ8np`, `HNSW32`, `IVF64,Flat`. */
export function checkFactory(factory: string): void {
  if (FACTORY.test(factory)) return;
  const forms = 'Flat, SQ8, PQ<m>np, HNSW<m>, IVF<n>,Flat, IVF<n>,SQ8 or IVF<n>,PQ<m>np';
  throw new VectorIndexError('BAD_ARGUMENT', `Factory "${factory}" is not of a form like ${forms}.`);
}

export interface FaissOpenOptions {
  /** Leaves the inverted lists of an IVF index in the file, which must then stay as it is. Default false. */
  readonly memoryMapped?: boolean | undefined;
  /** Also opens a file of FAISS's own format that has no trailer to check it by: only for files you trust. Default false. */
  readonly acceptForeign?: boolean | undefined;
}

/**
 * Opens a file that a FAISS index wrote.
 * @throws VectorIndexError UNREADABLE when the file is missing, truncated, altered or something else.
 */
export async function openFaissIndex(
  addon: FaissAddon,
  path: string,
  { memoryMapped = false, acceptForeign = false }: FaissOpenOptions = {},
): Promise<TunableIndex> {
  const trailer = await readTrailer(path);
  if (!trailer && (memoryMapped || !acceptForeign)) {
    throw new VectorIndexError(
      'UNREADABLE',
      `${path} does not end with the trailer of an index: truncated or foreign.`,
    );
  }
  try {
    const native = await addon.read(path, memoryMapped);
    return wrap(native, trailer ?? { factory: 'unknown', recallAt20: null, reason: null }, memoryMapped ? path : null);
  } catch (cause) {
    throw new VectorIndexError('UNREADABLE', `${path}: ${messageOf(cause)}`, { cause });
  }
}

function wrap(native: NativeFaissIndex, trailer: IndexTrailer, mappedPath: string | null): TunableIndex {
  const { size, dimension } = native;
  const state = { ...trailer, dimension, closed: false, notice: null as string | null };
  const checkOpen = () => {
    if (state.closed) throw new VectorIndexError('CLOSED', 'The index is closed.');
  };
  return {
    kind: 'faiss',
    factory: trailer.factory,
    size,
    dimension,
    get notice() {
      return state.notice;
    },
    get reason() {
      return state.reason;
    },
    get recallAt20() {
      return state.recallAt20;
    },
    async search(queries, k, options = {}) {
      checkSearch(state, queries, { k, excludeRowsOf: options.excludeRowsOf });
      checkBreadth('nprobe', options.nprobe);
      checkBreadth('efSearch', options.efSearch);
      return await translated(native.search(queries, k, toNativeOptions(options)));
    },
    async write(path) {
      checkOpen();
      await writeIndexFile(path, async (temporaryPath) => {
        // A mapped index can only be written as a reference to its file; the file itself is the whole index.
        if (mappedPath !== null) return await copyFile(mappedPath, temporaryPath);
        await translated(native.write(temporaryPath));
        const { factory, recallAt20, reason } = state;
        await appendTrailer(temporaryPath, { factory, recallAt20, reason });
      });
    },
    close() {
      state.closed = true;
      native.close();
    },
    setDefaultBreadth(breadth) {
      checkOpen();
      native.setDefaultBreadth(breadth);
    },
    setRecallAt20(recall) {
      state.recallAt20 = recall;
    },
    setReason(reason) {
      state.reason = reason;
    },
    setNotice(notice) {
      state.notice = notice;
    },
  };
}

function checkBreadth(name: string, value: number | undefined): void {
  if (value === undefined || (Number.isInteger(value) && value >= 1 && value <= 2 ** 20)) return;
  throw new VectorIndexError('BAD_ARGUMENT', `${name} must be a whole number in [1, 1048576], got ${value}.`);
}

async function translated<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    throw new VectorIndexError('FAILED', `FAISS: ${messageOf(cause)}`, { cause });
  }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
