import { decodeColumns, encodeColumns, FileFormatError } from './columnar-file.ts';
import { checkInteractions, type InteractionMatrix } from './interaction-matrix.ts';
import { packUuids, unpackUuids } from './uuid-column.ts';

/** The bytes are not an undamaged snapshot; see `reason`. */
export class SnapshotError extends FileFormatError {}

/** A tenant's interactions at one moment; `userIds[row]` and `itemIds[row]` are the UUIDs behind the matrix's rows. */
export interface Snapshot {
  readonly matrix: InteractionMatrix;
  readonly userIds: readonly string[];
  readonly itemIds: readonly string[];
}

const FORMAT = { magic: 'KNDSNAP1', error: SnapshotError };

/**
 * The snapshot as one columnar file with a sha256; equal snapshots give equal bytes.
 * @throws InteractionDataError when the matrix is not whole; TypeError when an id is not a UUID.
 */
export function encodeSnapshot(snapshot: Snapshot): Uint8Array<ArrayBuffer> {
  const { userRows, itemRows, weights, timestamps, userCount, itemCount } = checkInteractions(snapshot.matrix);
  return encodeColumns(
    FORMAT,
    { userCount, itemCount, interactionCount: userRows.length },
    {
      userRows,
      itemRows,
      weights,
      timestamps,
      userIds: packUuids(snapshot.userIds),
      itemIds: packUuids(snapshot.itemIds),
    },
  );
}

/**
 * The snapshot that `encodeSnapshot` encoded; its columns may view `bytes`, which must not change afterwards.
 * @throws SnapshotError when the bytes are truncated, altered or something else.
 */
export function decodeSnapshot(bytes: Uint8Array): Snapshot {
  const file = decodeColumns(FORMAT, bytes);
  const userCount = file.number('userCount');
  const itemCount = file.number('itemCount');
  const interactionCount = file.number('interactionCount');
  return {
    matrix: {
      userCount,
      itemCount,
      userRows: file.int32('userRows', interactionCount),
      itemRows: file.int32('itemRows', interactionCount),
      weights: file.float32('weights', interactionCount),
      timestamps: file.float64('timestamps', interactionCount),
    },
    userIds: unpackUuids(file.bytes('userIds', userCount * 16)),
    itemIds: unpackUuids(file.bytes('itemIds', itemCount * 16)),
  };
}

/** One exported interaction. `value` null counts as weight 1. */
export interface SnapshotRow {
  readonly userId: string;
  readonly itemId: string;
  readonly value?: number | null;
  readonly occurredAt: Date;
}

/** Collects rows batch by batch; user and item rows are numbered in order of first appearance. */
export interface SnapshotBuilder {
  add(rows: readonly SnapshotRow[]): void;
  build(): Snapshot;
}

export function createSnapshotBuilder(): SnapshotBuilder {
  const userRowById = new Map<string, number>();
  const itemRowById = new Map<string, number>();
  const users = createGrowingColumn(Int32Array);
  const items = createGrowingColumn(Int32Array);
  const weights = createGrowingColumn(Float32Array);
  const timestamps = createGrowingColumn(Float64Array);
  return {
    add(rows) {
      for (const row of rows) {
        users.push(rowOf(userRowById, row.userId));
        items.push(rowOf(itemRowById, row.itemId));
        weights.push(row.value ?? 1);
        timestamps.push(row.occurredAt.getTime());
      }
    },
    build() {
      const matrix = checkInteractions({
        userCount: userRowById.size,
        itemCount: itemRowById.size,
        userRows: users.values(),
        itemRows: items.values(),
        weights: weights.values(),
        timestamps: timestamps.values(),
      });
      return { matrix, userIds: [...userRowById.keys()], itemIds: [...itemRowById.keys()] };
    },
  };
}

function rowOf(rowById: Map<string, number>, id: string): number {
  const known = rowById.get(id);
  if (known !== undefined) return known;
  rowById.set(id, rowById.size);
  return rowById.size - 1;
}

interface NumberColumn<C> {
  [index: number]: number;
  readonly length: number;
  set(values: C): void;
  slice(start: number, end: number): C;
}

function createGrowingColumn<C extends NumberColumn<C>>(create: new (length: number) => C) {
  let column = new create(1024);
  let length = 0;
  return {
    push(value: number) {
      if (length === column.length) {
        const larger = new create(length * 2);
        larger.set(column);
        column = larger;
      }
      column[length++] = value;
    },
    values: () => column.slice(0, length),
  };
}
