import { mkdtempDisposable, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createExactIndex } from './exact-index.ts';
import { nextNormal, seedRandom } from './random.ts';
import { buildVectorIndex, measureRecall, openVectorIndex, type VectorIndex } from './vector-index.ts';

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
  const build = (vectors: Float32Array, dimension = DIMENSION) =>
    buildVectorIndex(vectors, dimension, { prefer: kind });

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
