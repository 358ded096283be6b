import type { AddonForm, AddonState } from '@kindred/native/load-addon';
import { loadAddon } from './load-addon.ts';
import type { NativeSearch } from './native-search.ts';
import { loadRankingAddon } from './ranking-addon.ts';

/** An index of core/native/faiss.cc. Errors carry a `code`: FAISS_CLOSED, FAISS_BAD_ARGUMENT or FAISS_FAILED. */
export interface NativeFaissIndex {
  readonly size: number;
  readonly dimension: number;
  readonly search: NativeSearch;
  /** nprobe of an IVF index, efSearch of an HNSW index; written with it. */
  setDefaultBreadth(breadth: number): void;
  write(path: string): Promise<void>;
  close(): void;
}

/** The binding of libfaiss; all vectors are compared by inner product. */
export interface FaissAddon {
  readonly faissVersion: string;
  /** Reads `vectors` in place: they must be neither changed nor transferred until the promise is settled. */
  build(vectors: Float32Array, dimension: number, factory: string): Promise<NativeFaissIndex>;
  /** With `memoryMapped` the inverted lists of an IVF index stay in the file, which must then never change. */
  read(path: string, memoryMapped: boolean): Promise<NativeFaissIndex>;
}

/** The binding, or why there is none. */
export type FaissAddonState = AddonState<FaissAddon>;

export const FAISS_ADDON: AddonForm<FaissAddon> = { name: 'faiss', members: ['faissVersion', 'build', 'read'] };

/** The same for processors with AVX2, of a FAISS compiled for them (`node core/native/build.mjs --faiss-avx2`). */
export const FAISS_AVX2_ADDON: AddonForm<FaissAddon> = { ...FAISS_ADDON, name: 'faiss-avx2' };

/** Loads the binding once per thread, the fastest that is there and runs on this processor; never throws. */
export function loadFaissAddon(): FaissAddonState {
  if (loadRankingAddon().addon?.kernelNames.includes('avx2')) {
    const state = loadAddon(FAISS_AVX2_ADDON);
    if (state.addon) return state;
  }
  return loadAddon(FAISS_ADDON);
}
