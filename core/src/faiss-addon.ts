import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { SearchResult } from './index-contract.ts';

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
export type FaissAddonState = { readonly addon: FaissAddon } | { readonly addon: null; readonly reason: string };

const BUILD_FOLDER = join(import.meta.dirname, '..', 'build');

let loaded: FaissAddonState | undefined;

/** Loads core/build/faiss.node once per thread; never throws. */
export function loadFaissAddon(): FaissAddonState {
  loaded ??= loadFrom(BUILD_FOLDER);
  return loaded;
}

/** As `loadFaissAddon`, from another folder and without remembering. */
export function loadFrom(buildFolder: string): FaissAddonState {
  const path = join(buildFolder, 'faiss.node');
  if (!existsSync(path)) {
    const reasonPath = join(buildFolder, 'faiss-unavailable.txt');
    const reason = existsSync(reasonPath)
      ? readFileSync(reasonPath, 'utf8').trim()
      : 'the binding was not built (npm run build -w core)';
    return { addon: null, reason };
  }
  try {
    const addon: unknown = createRequire(import.meta.url)(path);
    if (isFaissAddon(addon)) return { addon };
    return { addon: null, reason: `${path} is not the FAISS binding` };
  } catch (error) {
    return { addon: null, reason: error instanceof Error ? error.message : String(error) };
  }
}

function isFaissAddon(value: unknown): value is FaissAddon {
  return typeof value === 'object' && value !== null && 'build' in value && 'read' in value && 'faissVersion' in value;
}
