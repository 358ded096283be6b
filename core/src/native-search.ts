import type { SearchOptions, SearchResult } from './index-contract.ts';

/** What the search of a native index takes beside its queries. A number 0 stands for the index's own. */
export interface NativeSearchOptions {
  readonly excludeRows: Int32Array;
  /** `[q + 1]`, or empty: then `excludeRowsOf` is too. */
  readonly offsetsOf: Int32Array;
  readonly excludeRowsOf: Int32Array;
  /** Null: all rows. */
  readonly onlyRows: Int32Array | null;
  readonly nprobe: number;
  readonly efSearch: number;
}

/** Searches on the libuv pool, on a copy of the arguments. */
export type NativeSearch = (queries: Float32Array, k: number, options: NativeSearchOptions) => Promise<SearchResult>;

const NO_ROWS = new Int32Array(0);
const NO_LISTS = { offsets: NO_ROWS, rows: NO_ROWS };

/** The options as native code takes them. */
export function toNativeOptions(options: SearchOptions): NativeSearchOptions {
  const { excludeRows = NO_ROWS, excludeRowsOf = NO_LISTS, onlyRows = null, nprobe = 0, efSearch = 0 } = options;
  const { offsets: offsetsOf, rows } = excludeRowsOf;
  return { excludeRows, offsetsOf, excludeRowsOf: rows, onlyRows, nprobe, efSearch };
}
