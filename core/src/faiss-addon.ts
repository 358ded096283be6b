import type { SearchResult } from './index-contract.ts';
import { type AddonForm, type AddonState, loadAddon } from './load-addon.ts';

/**
 * An index of core/native/faiss.cc. Errors carry a `code`: FAISS_CLOSED, FAISS_BAD_ARGUMENT or FAISS_FAILED.
 * A number 0 for `nprobe` or `efSearch` stands for the index's own.
 */
export interface NativeFaissIndex {
  readonly size: number;
  readonly dimension: number;
  search(
    queries: Float32Array,
    k: number,
    excludeRows: Int32Array,
    nprobe: number,
    efSearch: number,
  ): Promise<SearchResult>;
  setDefaultNprobe(nprobe: number): void;
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

/** Loads the binding once per thread; never throws. */
export function loadFaissAddon(): FaissAddonState {
  return loadAddon(FAISS_ADDON);
}
