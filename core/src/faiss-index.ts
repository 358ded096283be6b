import { copyFile } from 'node:fs/promises';
import type { FaissAddon, NativeFaissIndex } from './faiss-addon.ts';
import { appendTrailer, type IndexTrailer, readTrailer } from './faiss-file.ts';
import { checkSearch, checkVectors, type VectorIndex, VectorIndexError } from './index-contract.ts';
import { writeFileAtomically } from './write-file-atomically.ts';

const NO_ROWS = new Int32Array(0);

/** A FAISS index with the means to tune it before it is used. */
export interface TunableIndex extends VectorIndex {
  /** Sets the number of inverted lists that searches visit by default. @throws VectorIndexError FAILED. */
  setDefaultNprobe(nprobe: number): void;
  /** Records the measured recall, which is written with the index. */
  setRecallAt20(recall: number): void;
}

/**
 * Trains and fills a FAISS index over `vectors` (`[size, dimension]`, read in place while the promise is pending) for
 * the inner product. Deterministic for one FAISS version.
 * @throws VectorIndexError WRONG_DIMENSION, NOT_FINITE, BAD_ARGUMENT; FAILED with FAISS's message for a bad factory
 * string or too few vectors to train on.
 */
export async function buildFaissIndex(
  addon: FaissAddon,
  vectors: Float32Array,
  dimension: number,
  factory: string,
): Promise<TunableIndex> {
  checkVectors(vectors, dimension);
  const native = await translated(addon.build(vectors, dimension, factory));
  return wrap(native, { factory, recallAt20: null }, null);
}

/**
 * Opens a file that a FAISS index wrote, or any file of FAISS's own format that measures inner products. `memoryMapped`
 * leaves the inverted lists of an IVF index in the file, which must then stay as it is.
 * @throws VectorIndexError UNREADABLE when the file is missing, truncated, altered or something else.
 */
export async function openFaissIndex(addon: FaissAddon, path: string, memoryMapped = false): Promise<TunableIndex> {
  const trailer = await readTrailer(path);
  if (memoryMapped && !trailer) {
    const message = `${path} has no trailer with its sha256, so that it cannot safely be memory-mapped.`;
    throw new VectorIndexError('UNREADABLE', message);
  }
  try {
    const native = await addon.read(path, memoryMapped);
    return wrap(native, trailer ?? { factory: 'unknown', recallAt20: null }, memoryMapped ? path : null);
  } catch (cause) {
    throw new VectorIndexError('UNREADABLE', `${path}: ${messageOf(cause)}`, { cause });
  }
}

function wrap(native: NativeFaissIndex, trailer: IndexTrailer, mappedPath: string | null): TunableIndex {
  const { size, dimension } = native;
  const state = { dimension, closed: false, recallAt20: trailer.recallAt20 };
  const checkOpen = () => {
    if (state.closed) throw new VectorIndexError('CLOSED', 'The index is closed.');
  };
  return {
    kind: 'faiss',
    factory: trailer.factory,
    size,
    dimension,
    notice: null,
    get recallAt20() {
      return state.recallAt20;
    },
    async search(queries, k, options = {}) {
      checkSearch(state, queries, k);
      const { excludeRows = NO_ROWS, nprobe, efSearch } = options;
      const breadths = [checkBreadth('nprobe', nprobe), checkBreadth('efSearch', efSearch)] as const;
      return await translated(native.search(queries, k, excludeRows, ...breadths));
    },
    async write(path) {
      checkOpen();
      await writeFileAtomically(path, async (temporaryPath) => {
        // A mapped index can only be written as a reference to its file; the file itself is the whole index.
        if (mappedPath !== null) return await copyFile(mappedPath, temporaryPath);
        await translated(native.write(temporaryPath));
        await appendTrailer(temporaryPath, { factory: trailer.factory, recallAt20: state.recallAt20 });
      });
    },
    close() {
      state.closed = true;
      native.close();
    },
    setDefaultNprobe(nprobe) {
      checkOpen();
      native.setDefault('nprobe', nprobe);
    },
    setRecallAt20(recall) {
      state.recallAt20 = recall;
    },
  };
}

function checkBreadth(name: string, value: number | undefined): number {
  if (value === undefined) return 0;
  if (Number.isInteger(value) && value >= 1 && value <= 2 ** 20) return value;
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
