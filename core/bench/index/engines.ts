import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chooseFactory } from '../../src/choose-index.ts';
import { buildExactIndex } from '../../src/exact-index.ts';
import { FAISS_ADDON, loadFaissAddon } from '../../src/faiss-addon.ts';
import { loadAddon } from '../../src/load-addon.ts';
import { buildVectorIndex, type VectorIndex } from '../../src/vector-index.ts';
import type { Catalogue } from './catalogue.ts';
import { loadFaissNode, loadUsearch } from './stock-packages.ts';

/** One index over a catalogue. */
export interface Engine {
  /** Rows for one query, best first. */
  search(query: Float32Array, k: number): Promise<ArrayLike<number | bigint>>;
  /** Searches many queries in one call, as micro-batches of a server do; absent where the engine cannot. */
  searchAll?(queries: Float32Array, k: number): Promise<unknown>;
  /** Its form and settings, for the table. */
  readonly settings: string;
}

/** How to make an engine, or null where what it needs is not there. */
type Make = (catalogue: Catalogue) => Promise<Engine>;

const own = (index: VectorIndex): Engine => ({
  search: async (query, k) => (await index.search(query, k)).rows,
  searchAll: (queries, k) => index.search(queries, k),
  settings: index.factory ?? 'all',
});

const faiss = async ({ items, dimension, queries }: Catalogue, factory?: string, binding = loadFaissAddon()) => {
  if (!binding.addon) throw new Error(binding.reason);
  const options = { prefer: 'faiss', queries, binding, ...(factory !== undefined && { factory }) } as const;
  return await buildVectorIndex(items, dimension, options);
};

/** An event loop that gives others their turn between calls that block it, as a server's must. */
const afterTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** What the npm package faiss-node makes of a file that the binding wrote, number of lists to visit included. */
async function openWithFaissNode(catalogue: Catalogue, factory: string): Promise<Engine> {
  const { Index } = loadFaissNode();
  await using folder = await mkdtempDisposable(join(tmpdir(), 'kindred-bench-'));
  const path = join(folder.path, 'items.index');
  const index = await faiss(catalogue, factory);
  await index.write(path);
  index.close();
  const stock = Index.read(path);
  return {
    async search(query, k) {
      await afterTurn();
      return stock.search(Array.from(query), k).labels;
    },
    settings: index.factory ?? '',
  };
}

async function buildUsearch({ items, dimension }: Catalogue): Promise<Engine> {
  const { Index } = loadUsearch();
  const index = new Index({ metric: 'ip', dimensions: dimension, connectivity: 16, expansion_search: 256 });
  const size = items.length / dimension;
  index.add(
    BigUint64Array.from({ length: size }, (_, row) => BigInt(row)),
    items,
  );
  return {
    async search(query, k) {
      await afterTurn();
      return index.search(query, k).keys;
    },
    settings: 'HNSW M16, ef 256',
  };
}

export const ENGINES: Readonly<Record<string, Make>> = {
  exact: async ({ items, dimension }) => own(await buildExactIndex(items, dimension)),
  'exact f32': async ({ items, dimension }) => own(await buildExactIndex(items, dimension, { precision: 'float32' })),
  'faiss flat': async (catalogue) => own(await faiss(catalogue, 'Flat')),
  'faiss ivf': async (catalogue) => own(await faiss(catalogue)),
  'faiss ivf debian': async (catalogue) => own(await faiss(catalogue, undefined, loadAddon(FAISS_ADDON))),
  'faiss ivf sq8': async (catalogue) => own(await faiss(catalogue, `${listsOf(catalogue)},SQ8`)),
  'faiss hnsw': async (catalogue) => own(await faiss(catalogue, 'HNSW32')),
  'faiss-node flat': (catalogue) => openWithFaissNode(catalogue, 'Flat'),
  'faiss-node ivf': (catalogue) => openWithFaissNode(catalogue, `${listsOf(catalogue)},Flat`),
  usearch: buildUsearch,
};

function listsOf({ items, dimension }: Catalogue): string {
  return chooseFactory(items.length / dimension).replace(/,.*/, '');
}
