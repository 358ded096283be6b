import { mkdtempDisposable, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createExactIndex } from './exact-index.ts';
import { nextNormal, seedRandom } from './random.ts';
import { measureRecall } from './tune-index.ts';
import { buildVectorIndex, openVectorIndex, type VectorIndex } from './vector-index.ts';

export const DIMENSION = 16;

/** Clustered random vectors `[count, 16]`, as trained ones are. */
export function createVectors(count: number, seed: number): Float32Array {
  const random = seedRandom(seed);
  const centres = Float32Array.from({ length: 20 * DIMENSION }, () => nextNormal(random));
  return Float32Array.from({ length: count * DIMENSION }, (_, at) => {
    const cluster = Math.floor(at / DIMENSION) % 20;
    return (centres[cluster * DIMENSION + (at % DIMENSION)] ?? 0) + 0.5 * nextNormal(random);
  });
}

/** What every vector index must do, tried on one above and one below the size at which FAISS switches to IVF. */
export function describeVectorIndex(kind: VectorIndex['kind']): void {
  // What the index is tuned on: like the queries, but others.
  const likely = createVectors(200, 5);
  const build = (vectors: Float32Array, dimension = DIMENSION) =>
    buildVectorIndex(vectors, dimension, { prefer: kind, ...(dimension === DIMENSION && { queries: likely }) });

  describe.each([{ size: 300 }, { size: 3000 }])(`${kind} index of $size vectors`, ({ size }) => {
    const vectors = createVectors(size, 1);
    const queries = createVectors(50, 2);

    test('finds at least 0.95 of the exact best twenty, before and after writing and opening', async () => {
      const index = await build(vectors);
      const exact = createExactIndex(vectors, DIMENSION);
      expect(index).toMatchObject({ kind, size, dimension: DIMENSION, notice: null });
      expect(index.recallAt20).toBeGreaterThanOrEqual(0.98);
      const recall = await measureRecall(index, exact, queries, 20);
      expect(recall).toBeGreaterThanOrEqual(0.95);
      await using folder = await mkdtempDisposable(join(tmpdir(), 'kindred-index-'));
      const path = join(folder.path, 'items.index');
      await index.write(path);
      const opened = await openVectorIndex(path);
      const { factory, recallAt20 } = index;
      expect(opened).toMatchObject({ kind, size, dimension: DIMENSION, factory, recallAt20 });
      expect(await measureRecall(opened, exact, queries, 20)).toBe(recall);
      expect(await opened.search(queries, 10)).toEqual(await index.search(queries, 10));
    });

    test('returns inner products, best first', async () => {
      const index = await build(vectors);
      const query = queries.subarray(0, DIMENSION);
      const { rows, scores } = await index.search(query, 10);
      const product = (row: number) =>
        query.reduce((sum, value, column) => sum + value * (vectors[row * DIMENSION + column] ?? 0), 0);
      rows.forEach((row, rank) => expect(scores[rank]).toBeCloseTo(product(row), 3));
      expect([...scores]).toEqual([...scores].toSorted((a, b) => b - a));
    });

    test('never returns an excluded row, and fills up with the next best', async () => {
      const index = await build(vectors);
      const { rows } = await index.search(queries, 10);
      const excludeRows = Int32Array.from([...rows, -1, size, 2 ** 31 - 1]);
      const filtered = await index.search(queries, 10, { excludeRows });
      const excluded = new Set(excludeRows);
      expect(filtered.rows.some((row) => row >= 0 && excluded.has(row))).toBe(false);
      expect(filtered.rows[0]).toBeGreaterThanOrEqual(0);
    });

    test('keeps what each query may not return from that query alone', async () => {
      const index = await build(vectors);
      const { rows } = await index.search(queries, 4);
      // Query i loses its own best i % 4 rows, and rows that are not there.
      const lists = Array.from({ length: 50 }, (_, query) => [
        ...rows.subarray(query * 4, query * 4 + (query % 4)),
        -1,
        size,
      ]);
      const offsets = Int32Array.from([0, ...lists.map((_, query) => lists.slice(0, query + 1).flat().length)]);
      const excludeRowsOf = { offsets, rows: Int32Array.from(lists.flat()) };
      const filtered = await index.search(queries, 4, { excludeRowsOf });
      for (const [query, list] of lists.entries()) {
        const found = [...filtered.rows.subarray(query * 4, query * 4 + 4)];
        expect(found.slice(0, 4 - (query % 4))).toEqual([...rows.subarray(query * 4 + (query % 4), query * 4 + 4)]);
        expect(found.filter((row) => list.includes(row))).toEqual([]);
      }
    });

    test('excludes long lists of single queries beside the rows that no query may return', async () => {
      const index = await build(vectors);
      const excludeRows = Int32Array.of(3, 4);
      const others = Int32Array.from({ length: size - 2 }, (_, row) => row + 2);
      const excludeRowsOf = { offsets: Int32Array.of(0, 0, size - 2), rows: others };
      const options = { excludeRows, excludeRowsOf, nprobe: 2 ** 20 };
      const { rows } = await index.search(vectors.subarray(3 * DIMENSION, 5 * DIMENSION), 5, options);
      expect([...rows.subarray(5)].toSorted((a, b) => a - b)).toEqual([-1, -1, -1, 0, 1]);
      expect(rows.subarray(0, 5).every((row) => row >= 0 && row !== 3 && row !== 4)).toBe(true);
    });

    test.each([2, 40])('searches only every %dth row, exactly, less the excluded ones', async (step) => {
      const index = await build(vectors);
      const only = Array.from({ length: Math.floor(size / step) }, (_, at) => at * step);
      const onlyRows = Int32Array.from([...only.toReversed(), 0, -1, size, 2 ** 31 - 1]);
      const excludeRowsOf = {
        offsets: Int32Array.from({ length: 51 }, (_, at) => at),
        rows: new Int32Array(50).fill(2 * step),
      };
      const options = { onlyRows, excludeRows: Int32Array.of(step, step + 1), excludeRowsOf };
      const { rows, scores } = await index.search(queries, 10, options);
      const product = (query: number, row: number) =>
        Array.from({ length: DIMENSION }, (_, at) => at).reduce(
          (sum, at) => sum + (queries[query * DIMENSION + at] ?? 0) * (vectors[row * DIMENSION + at] ?? 0),
          0,
        );
      const allowed = only.filter((row) => row !== 2 * step && row !== step);
      for (let query = 0; query < 50; query++) {
        const best = allowed.toSorted((a, b) => product(query, b) - product(query, a)).slice(0, 10);
        expect([...rows.subarray(query * 10, query * 10 + best.length)]).toEqual(best);
        expect(scores[query * 10]).toBeCloseTo(product(query, best[0] ?? 0), 3);
      }
    });

    test('answers a search of no rows with none', async () => {
      const index = await build(vectors);
      const { rows } = await index.search(queries, 2, { onlyRows: Int32Array.of(-1, size) });
      expect(rows.every((row) => row === -1)).toBe(true);
      const { scores } = await index.search(queries, 2, { onlyRows: new Int32Array(0) });
      expect(scores.every((score) => score === Number.NEGATIVE_INFINITY)).toBe(true);
    });

    test.each([
      ['number 2, got 1', Int32Array.of(0), new Int32Array(0)],
      ['number 2, got 3', Int32Array.of(0, 0, 0), new Int32Array(0)],
      ['go from 0 to 2, got 0 to 1', Int32Array.of(0, 1), Int32Array.of(5, 6)],
      ['go from 0 to 1, got 1 to 1', Int32Array.of(1, 1), Int32Array.of(5)],
    ])('refuses lists whose offsets do not %s', async (message, offsets, rows) => {
      const index = await build(vectors);
      const search = index.search(queries.subarray(0, DIMENSION), 5, { excludeRowsOf: { offsets, rows } });
      await expect(search).rejects.toMatchObject({ reason: 'BAD_ARGUMENT', message: expect.stringContaining(message) });
    });

    test('refuses lists whose offsets fall', async () => {
      const index = await build(vectors);
      const excludeRowsOf = { offsets: Int32Array.of(0, 2, 1, 2), rows: Int32Array.of(5, 6) };
      const search = index.search(queries.subarray(0, 3 * DIMENSION), 5, { excludeRowsOf });
      await expect(search).rejects.toMatchObject({ message: expect.stringContaining('never fall, got 2 before 1') });
    });

    test('pads with row -1 and score -Infinity when too few rows are left', async () => {
      const index = await build(vectors);
      const excludeRows = Int32Array.from({ length: size }, (_, row) => row).filter((row) => row !== 7);
      const query = vectors.subarray(7 * DIMENSION, 8 * DIMENSION);
      const { rows, scores } = await index.search(query, 3, { excludeRows, nprobe: 2 ** 20 });
      expect([...rows]).toEqual([7, -1, -1]);
      expect([...scores.subarray(1)]).toEqual([Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]);
    });

    test('answers many searches at once as it answers them one by one', async () => {
      const index = await build(vectors);
      const all = await index.search(queries, 5);
      const single = await Promise.all(
        Array.from({ length: 50 }, (_, query) =>
          index.search(queries.subarray(query * DIMENSION, (query + 1) * DIMENSION), 5),
        ),
      );
      expect(single.flatMap(({ rows }) => [...rows])).toEqual([...all.rows]);
    });

    test('lets the caller reuse the query buffer at once', async () => {
      const index = await build(vectors);
      const wanted = await index.search(queries, 5);
      const buffer = queries.slice();
      const pending = index.search(buffer, 5);
      structuredClone(buffer.buffer, { transfer: [buffer.buffer] });
      expect(await pending).toEqual(wanted);
    });

    test.each([
      ['WRONG_DIMENSION', new Float32Array(DIMENSION + 1), 5],
      ['NOT_FINITE', new Float32Array(DIMENSION).fill(Number.NaN), 5],
      ['NOT_FINITE', new Float32Array(DIMENSION).fill(Number.POSITIVE_INFINITY), 5],
      ['BAD_ARGUMENT', new Float32Array(0), 5],
      ['BAD_ARGUMENT', new Float32Array(DIMENSION), 0],
      ['BAD_ARGUMENT', new Float32Array(DIMENSION), 2.5],
      ['BAD_ARGUMENT', new Float32Array(DIMENSION), 1e9],
    ])('refuses a search as %s (%#)', async (reason, query, k) => {
      const index = await build(vectors);
      await expect(index.search(query, k)).rejects.toMatchObject({ name: 'VectorIndexError', reason });
    });

    test('a search under way ends well when the index is closed, later ones are refused', async () => {
      const index = await build(vectors);
      const pending = index.search(queries, 5);
      index.close();
      index.close();
      expect((await pending).rows).toHaveLength(250);
      await expect(index.search(queries, 5)).rejects.toMatchObject({ reason: 'CLOSED' });
      await expect(index.write(join(tmpdir(), 'never'))).rejects.toMatchObject({ reason: 'CLOSED' });
    });

    test('a file cut short anywhere, altered or missing is UNREADABLE', async () => {
      const index = await build(vectors);
      await using folder = await mkdtempDisposable(join(tmpdir(), 'kindred-index-'));
      const path = join(folder.path, 'items.index');
      await index.write(path);
      const whole = await readFile(path);
      const { size: sizeBytes } = await stat(path);
      for (const length of [0, 3, 8, 40, 100, sizeBytes >> 1, sizeBytes - 60, sizeBytes - 1]) {
        await truncate(path, length);
        await expect(openVectorIndex(path), `${length} bytes`).rejects.toMatchObject({ reason: 'UNREADABLE' });
        await writeFile(path, whole);
      }
      for (const position of [20, 60, 200, sizeBytes >> 1, sizeBytes - 20]) {
        const altered = Buffer.from(whole);
        altered.writeUInt8((altered.readUInt8(position) ^ 0x80) & 0xff, position);
        await writeFile(path, altered);
        await expect(openVectorIndex(path), `byte ${position}`).rejects.toMatchObject({ reason: 'UNREADABLE' });
      }
      await expect(openVectorIndex(join(folder.path, 'missing'))).rejects.toMatchObject({ reason: 'UNREADABLE' });
    });

    test('a file that cannot be written is a rejection and leaves nothing behind', async () => {
      const index = await build(vectors);
      const path = join(tmpdir(), 'kindred-no-such-folder', 'items.index');
      await expect(index.write(path)).rejects.toMatchObject({ name: 'VectorIndexError', reason: 'FAILED' });
    });
  });

  test.each([
    ['WRONG_DIMENSION', new Float32Array(7), 2],
    ['WRONG_DIMENSION', new Float32Array(8), 0],
    ['NOT_FINITE', Float32Array.of(1, Number.NaN), 2],
    ['BAD_ARGUMENT', new Float32Array(0), 2],
  ])(`${kind} index refuses vectors as %s`, async (reason, vectors, dimension) => {
    await expect(build(vectors, dimension)).rejects.toMatchObject({ name: 'VectorIndexError', reason });
  });

  test(`${kind} index works over a single vector`, async () => {
    const index = await build(Float32Array.of(1, 2), 2);
    const { rows, scores } = await index.search(Float32Array.of(1, 1, -1, 0), 2);
    expect([...rows]).toEqual([0, -1, 0, -1]);
    expect(scores[0]).toBe(3);
    expect(scores[2]).toBe(-1);
  });
}
