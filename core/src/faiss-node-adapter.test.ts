import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadFaissAddon } from './faiss-addon.ts';
import { buildFaissNodeIndex, openFaissNodeIndex } from './faiss-node-adapter.ts';
import { buildVectorIndex } from './vector-index.ts';
import { createVectors, DIMENSION } from './vector-index-suite.ts';

/** Stands in for the package: the same calls, exact search, and death for factory "SQ4", as FAISS errors kill it. */
const STAND_IN = `
const fs = require('node:fs');
class Index {
  constructor(d, values = []) { this.d = d; this.values = values; }
  static fromFactory(d, factory) { if (factory === 'SQ4') process.kill(process.pid, 'SIGKILL'); return new Index(d); }
  static read(path) { return new Index(${DIMENSION}, JSON.parse(fs.readFileSync(path, 'utf8').split('\\n')[0])); }
  ntotal() { return this.values.length / this.d; }
  getDimension() { return this.d; }
  train() {}
  add(values) { this.values = values; }
  write(path) { fs.writeFileSync(path, JSON.stringify(this.values) + '\\n'); }
  search(queries, k) {
    const labels = [], distances = [];
    for (let q = 0; q < queries.length; q += this.d) {
      const scores = Array.from({ length: this.ntotal() }, (_, row) => {
        let sum = 0;
        for (let c = 0; c < this.d; c++) sum += queries[q + c] * this.values[row * this.d + c];
        return sum;
      });
      for (const row of [...scores.keys()].sort((a, b) => scores[b] - scores[a]).slice(0, k)) {
        labels.push(row);
        distances.push(scores[row]);
      }
    }
    return { labels, distances };
  }
}
module.exports = { Index };`;

const vectors = createVectors(200, 1);
const queries = createVectors(5, 2);

async function createStandIn() {
  const folder = await mkdtempDisposable(join(tmpdir(), 'kindred-faiss-node-'));
  const modulePath = join(folder.path, 'faiss-node.cjs');
  await writeFile(modulePath, STAND_IN);
  return { path: folder.path, options: { modulePath }, [Symbol.asyncDispose]: () => folder.remove() };
}

test('without the package faiss-node every call ends in the named error UNAVAILABLE', async () => {
  const wanted = { name: 'VectorIndexError', reason: 'UNAVAILABLE', message: expect.stringContaining('not installed') };
  await expect(buildFaissNodeIndex(vectors, DIMENSION)).rejects.toMatchObject(wanted);
});

test.skipIf(!loadFaissAddon().addon)('without the package a file of our own binding is UNAVAILABLE too', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'kindred-faiss-node-'));
  const path = join(folder.path, 'items.index');
  await (await buildVectorIndex(vectors, DIMENSION, { prefer: 'faiss' })).write(path);
  await expect(openFaissNodeIndex(path)).rejects.toMatchObject({ reason: 'UNAVAILABLE' });
});

test('searches, excludes, writes, opens and closes through the child process', async () => {
  await using standIn = await createStandIn();
  const exact = await buildVectorIndex(vectors, DIMENSION, { prefer: 'exact' });
  const index = await buildFaissNodeIndex(vectors, DIMENSION, standIn.options);
  expect(index).toMatchObject({ kind: 'faiss', size: 200, notice: expect.stringContaining('child process') });
  const found = await index.search(queries, 10);
  expect(found.rows).toEqual((await exact.search(queries, 10)).rows);
  const excludeRows = found.rows;
  const filtered = await index.search(queries, 10, { excludeRows });
  expect(filtered.rows).toEqual((await exact.search(queries, 10, { excludeRows })).rows);
  const rowsOf = { offsets: Int32Array.of(0, 2, 2, 3, 3, 3), rows: Int32Array.of(1, 5, 9) };
  const filter = {
    excludeRows,
    excludeRowsOf: rowsOf,
    onlyRows: Int32Array.from({ length: 100 }, (_, at) => 2 * at + 1),
  };
  expect((await index.search(queries, 10, filter)).rows).toEqual((await exact.search(queries, 10, filter)).rows);
  const path = join(standIn.path, 'items.index');
  await index.write(path);
  const opened = await openFaissNodeIndex(path, standIn.options);
  expect(await opened.search(queries, 10)).toEqual(found);
  index.close();
  opened.close();
  await expect(index.search(queries, 10)).rejects.toMatchObject({ reason: 'CLOSED' });
});

test('a child that FAISS kills is a rejection, and this process lives', async () => {
  await using standIn = await createStandIn();
  const building = buildFaissNodeIndex(vectors, DIMENSION, { ...standIn.options, factory: 'SQ4' });
  await expect(building).rejects.toMatchObject({ reason: 'FAILED', message: expect.stringContaining('SIGKILL') });
});

test('a file without our trailer is UNREADABLE and never reaches the package', async () => {
  await using standIn = await createStandIn();
  const path = join(standIn.path, 'foreign');
  await writeFile(path, 'IxFI and so on');
  await expect(openFaissNodeIndex(path, standIn.options)).rejects.toMatchObject({ reason: 'UNREADABLE' });
});
