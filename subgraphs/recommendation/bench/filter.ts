// Two ways to answer under a filter, over an approximate index: to compare exactly the items that pass, or to search for
// more and drop the others. `node subgraphs/recommendation/bench/filter.ts [--items N] [--json FILE]`. Milliseconds of
// one search for a page, the median of many, by the share of items that pass.
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { buildVectorIndex, type VectorIndex } from '@kindred/core/vector-index';

const { values: options } = parseArgs({
  options: { items: { type: 'string', default: '100000' }, json: { type: 'string' } },
});
const DIMENSION = 64;
const DEPTH = 32;
const SEARCHES = 60;
const SHARES = [0.01, 0.05, 0.1, 0.2, 1 / 3, 0.5, 0.8];
const LARGEST_K = 4_096;

const itemCount = Number(options.items);
const vectors = Float32Array.from({ length: itemCount * DIMENSION }, () => Math.random() - 0.5);
const index = await buildVectorIndex(vectors, DIMENSION, { prefer: 'faiss' });
const results = [];
for (const share of SHARES) {
  const rows = Int32Array.from({ length: itemCount }, (_, row) => row).filter(() => Math.random() < share);
  const exact = await time(index, { k: DEPTH, onlyRows: rows });
  const k = Math.min(LARGEST_K, itemCount, Math.ceil((DEPTH / share) * 1.3) + DEPTH);
  const overFetched = await time(index, { k });
  results.push({ share, passing: rows.length, exactMs: exact, overFetchMs: overFetched, fetched: k });
}
console.log(`${itemCount} x ${DIMENSION}, ${index.factory ?? index.kind}: median ms of one search`);
console.log('share   passing   exact subset   over-fetched   rows fetched');
for (const { share, passing, exactMs, overFetchMs, fetched } of results) {
  console.log(
    [
      share.toFixed(2).padEnd(7),
      String(passing).padEnd(9),
      exactMs.toFixed(2).padEnd(14),
      overFetchMs.toFixed(2).padEnd(14),
      fetched,
    ].join(' '),
  );
}
if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify({ itemCount, results }, null, 2)}\n`);
index.close();

async function time(searched: VectorIndex, { k, onlyRows }: { k: number; onlyRows?: Int32Array }): Promise<number> {
  const times: number[] = [];
  for (let search = 0; search < SEARCHES; search++) {
    const from = Math.floor(Math.random() * itemCount) * DIMENSION;
    const startedAt = performance.now();
    await searched.search(vectors.subarray(from, from + DIMENSION), k, onlyRows === undefined ? {} : { onlyRows });
    times.push(performance.now() - startedAt);
  }
  return times.toSorted((left, right) => left - right)[SEARCHES >> 1] ?? 0;
}
