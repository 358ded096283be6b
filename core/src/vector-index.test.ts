import { spawnSync } from 'node:child_process';
import { copyFile, cp, mkdir, mkdtempDisposable, readFile, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { buildExactIndex, createExactIndex } from './exact-index.ts';
import { loadFaissAddon, FAISS_ADDON } from './faiss-addon.ts';
import { measureRecall } from './tune-index.ts';
import { buildVectorIndex, openVectorIndex } from './vector-index.ts';
import { createVectors, DIMENSION, describeVectorIndex } from './vector-index-suite.ts';
import { loadAddonFrom } from '@kindred/native/load-addon';
import { toNativeOptions } from './native-search.ts';
import { loadRankingAddon } from './ranking-addon.ts';

const CORE = join(import.meta.dirname, '..');
const binding = loadFaissAddon();
const hasFaiss = binding.addon !== null;
const UNAVAILABLE = { addon: null, reason: 'no g++ on PATH' } as const;

describeVectorIndex('exact');

describe('native exact search', () => {
  const vectors = createVectors(3000, 1);
  const queries = createVectors(50, 2);
  const reference = createExactIndex(vectors, DIMENSION);
  const { addon } = loadRankingAddon();

  // Kernels, and what they scan, may differ in speed only.
  const engines = (addon?.kernelNames ?? []).flatMap((kernels) =>
    (['int8', 'float32'] as const).map((precision) => ({ kernels, precision })),
  );
  test.each(engines)(
    '$kernels kernels over $precision give the rows of the plain loop',
    async ({ kernels, precision }) => {
      if (!addon) return;
      for (const dimension of [1, 7, 16]) {
        // Equal vectors, null vectors and vectors too small or too large for 8 bits among them.
        const table = vectors.slice(0, 601 * dimension);
        table.copyWithin(dimension * 10, 0, dimension * 10);
        table.fill(0, dimension * 30, dimension * 33);
        for (let at = dimension * 40; at < dimension * 50; at++) table[at] = (table[at] ?? 0) * 1e-36;
        for (let at = dimension * 50; at < dimension * 60; at++) table[at] = (table[at] ?? 0) * 1e12;
        const some = queries.slice(0, 20 * dimension);
        some.fill(0, 0, dimension);
        for (let at = dimension; at < 2 * dimension; at++) some[at] = (some[at] ?? 0) * 1e-36;
        const wanted = await createExactIndex(table, dimension).search(some, 40);
        const native = await addon.createSearch(table, dimension, kernels, precision);
        expect(native).toMatchObject({ kernels, sizeBytes: expect.any(Number) });
        expect(await native.search(some, 40, toNativeOptions({}))).toEqual(wanted);
        const single = await native.search(some.subarray(dimension * 5, dimension * 6), 40, toNativeOptions({}));
        expect(single.rows).toEqual(wanted.rows.subarray(200, 240));
        native.close();
      }
    },
  );

  test('a subset is searched alike whether its rows are gathered or the others skipped', async () => {
    const index = await buildExactIndex(vectors, DIMENSION);
    for (const count of [3, 60, 150, 2500]) {
      const onlyRows = Int32Array.from({ length: count }, (_, at) => (at * 7) % 3000);
      const options = { onlyRows, excludeRows: Int32Array.of(7, 14, 21) };
      expect(await index.search(queries, 10, options)).toEqual(await reference.search(queries, 10, options));
    }
  });

  test('vectors of more values than the addon takes are the named error FAILED', async () => {
    const building = buildExactIndex(new Float32Array(65_537), 65_537);
    await expect(building).rejects.toMatchObject({ name: 'VectorIndexError', reason: 'FAILED' });
  });

  test('without the addon plain TypeScript stands in, and the notice says so', async () => {
    const index = await buildExactIndex(vectors, DIMENSION, { ranking: UNAVAILABLE });
    expect(index.notice).toContain('no g++ on PATH');
    expect(await index.search(queries, 10)).toEqual(await reference.search(queries, 10));
  });

  test('the event loop turns while a search runs', async () => {
    const index = await buildExactIndex(createVectors(60_000, 3), DIMENSION);
    const turn = new Promise<string>((resolve) => setImmediate(() => resolve('turn')));
    const pending = index.search(createVectors(2000, 4), 10);
    expect(await Promise.race([turn, pending])).toBe('turn');
    await pending;
  });

  test('a short search is done before the event loop turns, and finds what it finds among many', async () => {
    if (!addon) return;
    const index = await buildExactIndex(createVectors(60_000, 3), DIMENSION);
    const many = createVectors(2000, 4);
    const turn = new Promise<string>((resolve) => setImmediate(() => resolve('turn')));
    const short = await Promise.race([turn, index.search(many.subarray(0, DIMENSION), 10)]);
    const { rows, scores } = await index.search(many, 10);
    expect(short).toEqual({ rows: rows.slice(0, 10), scores: scores.slice(0, 10) });
  });

  test('misuse of the raw addon throws instead of crashing', async () => {
    if (!addon) return;
    const create = Reflect.get(addon, 'createSearch') as (...args: unknown[]) => unknown;
    for (const args of [
      [],
      ['x', 1, '', 'int8'],
      [vectors, 7, '', 'int8'],
      [vectors, 16, 'none', 'int8'],
      [vectors, 16, '', 'int4'],
    ]) {
      expect(() => create(...args)).toThrow(expect.objectContaining({ code: 'RANKING_BAD_ARGUMENT' }));
    }
    const native = await addon.createSearch(vectors, DIMENSION, '', 'int8');
    const search = Reflect.get(native, 'search') as (...args: unknown[]) => unknown;
    for (const args of [[], ['x'], [new Float32Array(3), 5, {}], [new Float32Array(16), 5, { excludeRows: 1 }]]) {
      expect(() => Reflect.apply(search, native, args)).toThrow(
        expect.objectContaining({ code: 'RANKING_BAD_ARGUMENT' }),
      );
    }
    native.close();
    expect(() => Reflect.apply(search, native, [queries, 5, toNativeOptions({})])).toThrow('closed');
  });
});

describe.skipIf(!hasFaiss)(`with FAISS${hasFaiss ? '' : `, which is missing: ${binding.reason}`}`, () => {
  describeVectorIndex('faiss');

  const vectors = createVectors(3000, 1);
  const queries = createVectors(50, 2);
  const exact = createExactIndex(vectors, DIMENSION);

  test('a small catalogue gets a flat index and a large one inverted lists', async () => {
    expect((await buildVectorIndex(createVectors(999, 1), DIMENSION, { prefer: 'faiss' })).factory).toBe('Flat');
    expect((await buildVectorIndex(vectors, DIMENSION, { prefer: 'faiss' })).factory).toBe('IVF76,Flat');
  });

  test('more inverted lists find more, and all of them find everything', async () => {
    const index = await buildVectorIndex(vectors, DIMENSION, { prefer: 'faiss' });
    const recallAt = (nprobe: number) =>
      measureRecall({ ...index, search: (q, k) => index.search(q, k, { nprobe }) }, exact, queries, 20);
    const recalls = [await recallAt(1), await recallAt(8), await recallAt(76)];
    expect(recalls[0]).toBeLessThan(recalls[1] ?? 0);
    expect(recalls[2]).toBe(1);
  });

  test('an HNSW index is tuned to the recall floor, and keeps its breadth in its file', async () => {
    const index = await buildVectorIndex(vectors, DIMENSION, { factory: 'HNSW32', queries });
    expect(index.recallAt20).toBeGreaterThanOrEqual(0.98);
    expect(await measureRecall(index, exact, queries, 20)).toBe(index.recallAt20);
    await using folder = await mkdtempDisposable(join(tmpdir(), 'kindred-index-'));
    await index.write(join(folder.path, 'items.index'));
    const opened = await openVectorIndex(join(folder.path, 'items.index'));
    expect(await measureRecall(opened, exact, queries, 20)).toBe(index.recallAt20);
  });

  test('a form that cannot reach the recall floor says so', async () => {
    const index = await buildVectorIndex(vectors, DIMENSION, { factory: 'PQ2np' });
    expect(index.recallAt20).toBeLessThan(0.98);
    expect(index.notice).toMatch(/^PQ2np misses the recall floor of 0\.98: recall@20 0\.\d{3}\.$/);
  });

  test('where memory is bounded the first compressed form that reaches the floor is taken, and its file says why', async () => {
    const memoryBytes = 3000 * 40;
    const index = await buildVectorIndex(vectors, DIMENSION, { memoryBytes, recallFloor: 0.9 });
    expect(index).toMatchObject({ kind: 'faiss', factory: 'IVF76,SQ8', notice: null });
    expect(index.reason).toMatch(
      /^Compressed: 1 MB are allowed .* IVF76,SQ8: recall@20 [01]\.\d{3} at a breadth of \d+\.$/,
    );
    await using folder = await mkdtempDisposable(join(tmpdir(), 'kindred-index-'));
    await index.write(join(folder.path, 'items.index'));
    expect((await openVectorIndex(join(folder.path, 'items.index'))).reason).toBe(index.reason);
  });

  test('an HNSW index honours efSearch and exclusions', async () => {
    const index = await buildVectorIndex(vectors, DIMENSION, { factory: 'HNSW8' });
    const recallAt = (efSearch: number) =>
      measureRecall({ ...index, search: (q, k) => index.search(q, k, { efSearch }) }, exact, queries, 20);
    const [narrow, broad, narrowAgain] = [await recallAt(20), await recallAt(400), await recallAt(20)];
    expect(narrow).toBeLessThan(broad);
    expect(narrowAgain).toBe(narrow);
    const { rows } = await index.search(queries, 10);
    const filtered = await index.search(queries, 10, { excludeRows: rows });
    expect(filtered.rows.some((row) => rows.includes(row))).toBe(false);
  });

  test('concurrent searches with different breadths of an HNSW index all succeed', async () => {
    const index = await buildVectorIndex(vectors, DIMENSION, { factory: 'HNSW8' });
    const searches = Array.from({ length: 40 }, (_, round) => index.search(queries, 20, { efSearch: 20 + round * 10 }));
    for (const { rows } of await Promise.all(searches)) expect(rows.every((row) => row >= 0 && row < 3000)).toBe(true);
  });

  test.each(['IVF5000,Flat', 'PQ7np', 'IVF10,PQ5np'])('FAISS refusing factory "%s" is a rejection', async (factory) => {
    const building = buildVectorIndex(vectors, DIMENSION, { factory });
    await expect(building).rejects.toMatchObject({ name: 'VectorIndexError', reason: 'FAILED' });
  });

  test.each(['nonsense', 'IVF0,Flat', 'HNSW0', 'HNSW1', 'PQ0np', 'PQ4', 'IVF-1,Flat', 'IDMap,Flat', ''])(
    'a factory string like "%s" never reaches FAISS',
    async (factory) => {
      const building = buildVectorIndex(vectors, DIMENSION, { factory });
      await expect(building).rejects.toMatchObject({ name: 'VectorIndexError', reason: 'BAD_ARGUMENT' });
    },
  );

  const forms = [
    'Flat',
    'SQ8',
    'SQ4',
    'SQfp16',
    'PQ4np',
    'PQ4x4np',
    'IVF20,Flat',
    'IVF20,SQ8',
    'IVF20,PQ4np',
    'HNSW2',
    'HNSW16,Flat',
  ];
  test.each(forms)('an index of the form %s builds, excludes, writes and opens', async (factory) => {
    const index = await buildVectorIndex(vectors, DIMENSION, { factory });
    const { rows } = await index.search(queries, 5);
    const filtered = await index.search(queries, 5, { excludeRows: rows });
    expect(filtered.rows.some((row) => row >= 0 && rows.includes(row))).toBe(false);
    await using folder = await mkdtempDisposable(join(tmpdir(), 'kindred-index-'));
    await index.write(join(folder.path, 'items.index'));
    const opened = await openVectorIndex(join(folder.path, 'items.index'));
    expect(await opened.search(queries, 5)).toEqual(await index.search(queries, 5));
  });

  test.each([0, -1, 1.5, Number.NaN])('nprobe %d is refused', async (nprobe) => {
    const index = await buildVectorIndex(vectors, DIMENSION, { prefer: 'faiss' });
    await expect(index.search(queries, 5, { nprobe })).rejects.toMatchObject({ reason: 'BAD_ARGUMENT' });
  });

  test('a memory-mapped index answers as the one it was written from, and can be written again', async () => {
    const index = await buildVectorIndex(vectors, DIMENSION, { prefer: 'faiss' });
    await using folder = await mkdtempDisposable(join(tmpdir(), 'kindred-index-'));
    const [first, second] = [join(folder.path, 'first'), join(folder.path, 'second')];
    await index.write(first);
    const mapped = await openVectorIndex(first, { memoryMapped: true });
    expect(await mapped.search(queries, 10)).toEqual(await index.search(queries, 10));
    await mapped.write(second);
    expect((await readFile(second)).equals(await readFile(first))).toBe(true);
  });

  test("a file in FAISS's own format without our trailer opens only as a trusted foreign one", async () => {
    if (!binding.addon) return;
    await using folder = await mkdtempDisposable(join(tmpdir(), 'kindred-index-'));
    const path = join(folder.path, 'foreign');
    await (await binding.addon.build(vectors, DIMENSION, 'Flat')).write(path);
    const index = await openVectorIndex(path, { acceptForeign: true });
    expect(index).toMatchObject({ kind: 'faiss', size: 3000, recallAt20: null });
    for (const options of [{}, { memoryMapped: true, acceptForeign: true }]) {
      await expect(openVectorIndex(path, options)).rejects.toMatchObject({ reason: 'UNREADABLE' });
    }
  });

  test('building and searching are deterministic', async () => {
    const [a, b] = [
      await buildVectorIndex(vectors, DIMENSION, { prefer: 'faiss' }),
      await buildVectorIndex(vectors, DIMENSION, { prefer: 'faiss' }),
    ];
    expect(await a.search(queries, 20)).toEqual(await b.search(queries, 20));
  });

  test('the event loop turns while a search runs', async () => {
    const large = createVectors(60_000, 3);
    const index = await buildVectorIndex(large, DIMENSION, {
      factory: 'Flat',
      queries: queries.subarray(0, DIMENSION),
    });
    const turn = new Promise<string>((resolve) => setImmediate(() => resolve('turn')));
    const pending = index.search(large.subarray(0, 2000 * DIMENSION), 10);
    expect(await Promise.race([turn, pending])).toBe('turn');
    await pending;
  });

  test('misuse of the raw binding throws instead of crashing', async () => {
    if (!binding.addon) return;
    const native = await binding.addon.build(vectors, DIMENSION, 'Flat');
    const search = Reflect.get(native, 'search') as (...args: unknown[]) => unknown;
    const construct = Reflect.get(Object.getPrototypeOf(native), 'constructor') as new (...args: unknown[]) => unknown;
    expect(() => new construct()).toThrow(expect.objectContaining({ code: 'FAISS_BAD_ARGUMENT' }));
    for (const args of [
      [],
      ['x'],
      [new Float32Array(3), 5, {}],
      [new Float32Array(16), 5, {}],
      [new Float32Array(16), 5, { excludeRows: 'x' }],
      [new Float64Array(16), 5, {}],
    ]) {
      expect(() => Reflect.apply(search, native, args)).toThrow(
        expect.objectContaining({ code: 'FAISS_BAD_ARGUMENT' }),
      );
    }
    expect(() => Reflect.apply(search, {}, [])).toThrow();
    native.close();
    expect(() => native.size).toThrow(expect.objectContaining({ code: 'FAISS_CLOSED' }));
  });

  test('worker threads build and search on their own, and may be terminated in the middle', async () => {
    const script = `
      const { parentPort } = require('node:worker_threads');
      (async () => {
        const { loadFaissAddon } = await import(${JSON.stringify(join(CORE, 'src/faiss-addon.ts'))});
        const { buildExactIndex } = await import(${JSON.stringify(join(CORE, 'src/exact-index.ts'))});
        const vectors = Float32Array.from({ length: 40000 * 16 }, (_, at) => Math.sin(at * 0.7));
        const index = await loadFaissAddon().addon.build(vectors, 16, 'Flat');
        const none = new Int32Array(0);
        const options = { excludeRows: none, offsetsOf: none, excludeRowsOf: none, onlyRows: null, nprobe: 0, efSearch: 0 };
        const { rows } = await index.search(vectors.subarray(0, 16), 3, options);
        const exact = await buildExactIndex(vectors, 16);
        parentPort.postMessage(rows.length);
        const some = vectors.subarray(0, 16 * 500);
        for (;;) await Promise.all([index.search(some, 10, options), exact.search(some, 10)]);
      })();`;
    const workers = Array.from({ length: 3 }, () => new Worker(script, { eval: true }));
    const answers = workers.map(
      (worker) => new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject)),
    );
    expect(await Promise.all(answers)).toEqual([3, 3, 3]);
    for (const worker of workers) await worker.terminate();
    expect((await buildVectorIndex(vectors, DIMENSION, { prefer: 'faiss' })).size).toBe(3000);
  });
});

describe('without FAISS', () => {
  const vectors = createVectors(50, 1);

  test('exact search stands in, and the notice says why', async () => {
    const index = await buildVectorIndex(vectors, DIMENSION, { prefer: 'faiss', binding: UNAVAILABLE });
    expect(index).toMatchObject({ kind: 'exact', recallAt20: 1, notice: expect.stringContaining('no g++ on PATH') });
  });

  test.skipIf(!hasFaiss)('a FAISS file opens as exact search over the fallback vectors, else UNAVAILABLE', async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'kindred-index-'));
    const path = join(folder.path, 'items.index');
    await (await buildVectorIndex(vectors, DIMENSION, { prefer: 'faiss' })).write(path);
    await expect(openVectorIndex(path, { binding: UNAVAILABLE })).rejects.toMatchObject({ reason: 'UNAVAILABLE' });
    const fallback = { vectors, dimension: DIMENSION };
    const index = await openVectorIndex(path, { binding: UNAVAILABLE, fallback });
    expect(index).toMatchObject({ kind: 'exact', notice: expect.stringContaining('no g++ on PATH') });
  });

  test('a missing or broken binding is a reason, never an exception', async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'kindred-binding-'));
    expect(loadAddonFrom(folder.path, FAISS_ADDON)).toMatchObject({
      addon: null,
      reason: expect.stringContaining('not built'),
    });
    await copyFile(import.meta.filename, join(folder.path, 'faiss.node'));
    expect(loadAddonFrom(folder.path, FAISS_ADDON)).toMatchObject({ addon: null, reason: expect.any(String) });
  });

  test('the build without a compiler prints one line for each addon, exits 0 and leaves the reason', async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'kindred-build-'));
    await mkdir(join(folder.path, 'core'));
    await cp(join(CORE, 'native'), join(folder.path, 'core/native'), { recursive: true });
    await symlink(join(CORE, '../node_modules'), join(folder.path, 'node_modules'));
    const { status, stdout } = spawnSync(process.execPath, [join(folder.path, 'core/native/build.mjs')], {
      env: { PATH: folder.path },
      encoding: 'utf8',
    });
    expect(status).toBe(0);
    const lines = stdout.trim().split('\n');
    expect(lines.length).toBeGreaterThan(1);
    for (const line of lines) expect(line).toMatch(/^core: [\w-]+ addon not built: no g\+\+ on PATH .* stands in\.$/);
    expect(loadAddonFrom(join(folder.path, 'core/build'), FAISS_ADDON)).toMatchObject({
      reason: expect.stringContaining('no g++'),
    });
  });
});
