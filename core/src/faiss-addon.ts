import type { SearchResult } from './index-contract.ts';
import { type AddonForm, type AddonState, loadAddon } from './load-addon.ts';

/** What a search takes beside its queries. A number 0 for `nprobe` or `efSearch` stands for the index's own. */
export interface NativeFaissSearch {
  readonly excludeRows: Int32Array;
  /** `[q + 1]`, or empty: then `excludeRowsOf` is too. */
  readonly offsetsOf: Int32Array;
  readonly excludeRowsOf: Int32Array;
  /** Null: all rows. */
  readonly onlyRows: Int32Array | null;
  readonly nprobe: number;
  readonly efSearch: number;
}

/** An index of core/native/faiss.cc. Errors carry a `code`: FAISS_CLOSED, FAISS_BAD_ARGUMENT or FAISS_FAILED. */
export interface NativeFaissIndex {
  readonly size: number;
  readonly dimension: number;
  search(queries: Float32Array, k: number, options: NativeFaissSearch): Promise<SearchResult>;
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
