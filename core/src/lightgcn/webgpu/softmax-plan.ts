import type { PairBatch, SoftmaxSettings } from '../backend.ts';
import { type BatchSlots, type InvertedList, invert } from './batch-slots.ts';

/**
 * A softmax batch cut up for the device. Row r is a distinct user of one chunk, column c a distinct item of one; both are
 * numbered through all chunks.
 */
export interface SoftmaxPlan {
  readonly rowCount: number;
  readonly columnCount: number;
  /** Slot, first and last of its own columns, pairs: `[rowCount, 4]`. */
  readonly rows: Uint32Array<ArrayBuffer>;
  /** Column within the chunk, and how many of the row's pairs have it: `[distinct pairs, 2]`. */
  readonly own: Uint32Array<ArrayBuffer>;
  /** Slot, and the bits of the logarithm of how often the item occurs plus its bias: `[columnCount, 2]`. */
  readonly columns: Uint32Array<ArrayBuffer>;
  /**
   * First row, rows, first column, columns, first vec4 of its logits, vec4 of a row of them, whether it is the first of its
   * chunk, place of its first column's gradient behind those of all rows: `[blocks, 8]`.
   */
  readonly blocks: Uint32Array<ArrayBuffer>;
  /** Runs of blocks that are computed together: first block, blocks, most rows, most columns. */
  readonly rounds: readonly Round[];
  /** The rows, and after them the columns, of each slot. */
  readonly appearances: InvertedList;
}

export interface Round {
  readonly first: number;
  readonly count: number;
  readonly mostRows: number;
  readonly mostColumns: number;
  /** vec4 of its logits. */
  readonly logits: number;
}

/** Bytes of logits that are held at once, where the device lets kernels bind as many. */
export const LOGIT_BYTES = 2 ** 26;

/** What one dispatch of at most 65,535 workgroups in each dimension takes: blocks in its third, tiles of rows in its first. */
const MOST_BLOCKS = 2 ** 15;
const MOST_ROWS = 2 ** 21;

/** The plan of a batch whose users and positives have these slots; a round has at most `logitBytes`, or one row. */
export function planSoftmax(
  batch: PairBatch & Pick<BatchSlots, 'slotLists'>,
  { chunkSize, itemBias }: SoftmaxSettings,
  size: { readonly slotCount: number; readonly userCount: number; readonly logitBytes: number },
): SoftmaxPlan {
  const count = batch.users.length;
  const draft = createDraft(batch, size.slotCount);
  const chunks: Chunk[] = [];
  for (let start = 0; start < count; start += chunkSize) {
    const end = Math.min(count, start + chunkSize);
    const chunk = addChunk(draft, start, end);
    listOwnColumns(draft, chunk, { start, end });
    chunks.push(chunk);
  }
  const { rowCount, columnCount, ownCount } = draft;
  const columns = new Uint32Array(columnCount * 2);
  const biases = new Float32Array(columns.buffer);
  for (let column = 0; column < columnCount; column++) {
    columns[column * 2] = draft.columnSlots[column] as number;
    const bias = itemBias[(draft.columnNodes[column] as number) - size.userCount] ?? 0;
    biases[column * 2 + 1] = Math.log(draft.columnCounts[column] as number) + bias;
  }
  const slots = new Uint32Array(rowCount + columnCount);
  for (let row = 0; row < rowCount; row++) slots[row] = draft.rows[row * 4] as number;
  slots.set(draft.columnSlots.subarray(0, columnCount), rowCount);
  return {
    rowCount,
    columnCount,
    rows: draft.rows.slice(0, rowCount * 4),
    own: draft.own.slice(0, ownCount * 2),
    columns,
    ...cutBlocks(chunks, rowCount, size.logitBytes),
    appearances: invert(slots, size.slotCount),
  };
}

/** A plan in the making: columns of the length that every pair needs at most. */
interface Draft {
  readonly positives: Int32Array;
  readonly userSlots: Uint32Array;
  readonly itemSlots: Uint32Array;
  rowCount: number;
  columnCount: number;
  ownCount: number;
  readonly rows: Uint32Array<ArrayBuffer>;
  readonly own: Uint32Array<ArrayBuffer>;
  readonly columnSlots: Uint32Array;
  readonly columnCounts: Uint32Array;
  readonly columnNodes: Uint32Array;
  /** The row of each pair within its chunk, and its column. */
  readonly rowOfPair: Uint32Array;
  readonly columnOfPair: Uint32Array;
  /** The latest row or column of each slot. */
  readonly placeOfSlot: Int32Array;
  /** The latest row that has each column as its own, and where that is listed. */
  readonly lastRow: Int32Array;
  readonly placeOfOwn: Uint32Array;
}

function createDraft({ positives, slotLists }: PairBatch & Pick<BatchSlots, 'slotLists'>, slotCount: number): Draft {
  const count = positives.length;
  const [userSlots = new Uint32Array(0), itemSlots = new Uint32Array(0)] = slotLists;
  return {
    positives,
    userSlots,
    itemSlots,
    rowCount: 0,
    columnCount: 0,
    ownCount: 0,
    rows: new Uint32Array(count * 4),
    own: new Uint32Array(count * 2),
    columnSlots: new Uint32Array(count),
    columnCounts: new Uint32Array(count),
    columnNodes: new Uint32Array(count),
    rowOfPair: new Uint32Array(count),
    columnOfPair: new Uint32Array(count),
    placeOfSlot: new Int32Array(slotCount).fill(-1),
    lastRow: new Int32Array(count).fill(-1),
    placeOfOwn: new Uint32Array(count),
  };
}

interface Chunk {
  readonly firstRow: number;
  readonly rowCount: number;
  readonly firstColumn: number;
  readonly columnCount: number;
}

/** Adds the rows and columns of the pairs from `start` to `end`. */
function addChunk(draft: Draft, start: number, end: number): Chunk {
  const { rowCount: firstRow, columnCount: firstColumn } = draft;
  const { placeOfSlot, columnCounts } = draft;
  for (let pair = start; pair < end; pair++) {
    const [userSlot, itemSlot] = [draft.userSlots[pair] as number, draft.itemSlots[pair] as number];
    if ((placeOfSlot[userSlot] as number) < firstRow) {
      draft.rows[draft.rowCount * 4] = userSlot;
      placeOfSlot[userSlot] = draft.rowCount++;
    }
    if ((placeOfSlot[itemSlot] as number) < firstColumn) {
      draft.columnSlots[draft.columnCount] = itemSlot;
      draft.columnNodes[draft.columnCount] = draft.positives[pair] as number;
      placeOfSlot[itemSlot] = draft.columnCount++;
    }
    const column = placeOfSlot[itemSlot] as number;
    columnCounts[column] = (columnCounts[column] as number) + 1;
    draft.rowOfPair[pair] = (placeOfSlot[userSlot] as number) - firstRow;
    draft.columnOfPair[pair] = column;
  }
  const [rowCount, columnCount] = [draft.rowCount - firstRow, draft.columnCount - firstColumn];
  return { firstRow, rowCount, firstColumn, columnCount };
}

/** Lists for each row of the chunk its own columns, each once, and how many pairs the row has. */
function listOwnColumns(draft: Draft, chunk: Chunk, { start, end }: { start: number; end: number }): void {
  const { rows, own, lastRow, placeOfOwn } = draft;
  const { offsets, places } = invert(draft.rowOfPair.subarray(start, end), chunk.rowCount);
  for (let index = 0; index < chunk.rowCount; index++) {
    const row = chunk.firstRow + index;
    const [from, to] = [offsets[index] as number, offsets[index + 1] as number];
    rows[row * 4 + 1] = draft.ownCount;
    for (let at = from; at < to; at++) {
      const column = draft.columnOfPair[start + (places[at] as number)] as number;
      if (lastRow[column] !== row) {
        lastRow[column] = row;
        placeOfOwn[column] = draft.ownCount;
        own[draft.ownCount++ * 2] = column - chunk.firstColumn;
      }
      const multiplicity = (placeOfOwn[column] as number) * 2 + 1;
      own[multiplicity] = (own[multiplicity] as number) + 1;
    }
    rows[row * 4 + 2] = draft.ownCount;
    rows[row * 4 + 3] = to - from;
  }
}

/** The chunks in blocks of rows whose logits fit, and as many blocks of different chunks to a round as fit together. */
function cutBlocks(
  chunks: readonly Chunk[],
  rowTotal: number,
  logitBytes: number,
): Pick<SoftmaxPlan, 'blocks' | 'rounds'> {
  const most = Math.floor(logitBytes / 16);
  const blocks: number[] = [];
  const rounds: Round[] = [];
  let round: Round = { first: 0, count: 0, mostRows: 0, mostColumns: 0, logits: 0 };
  let lastChunk: Chunk | null = null;
  for (const chunk of chunks) {
    const stride = Math.ceil(chunk.columnCount / 4);
    const rowsOfBlock = Math.max(1, Math.min(chunk.rowCount, MOST_ROWS, Math.floor(most / stride)));
    for (let row = 0; row < chunk.rowCount; row += rowsOfBlock) {
      const rowCount = Math.min(rowsOfBlock, chunk.rowCount - row);
      // Two blocks of a chunk add to the same columns, one after the other.
      const isFull = round.logits + rowCount * stride > most || round.count === MOST_BLOCKS;
      if (round.count > 0 && (isFull || chunk === lastChunk)) {
        rounds.push(round);
        round = { first: round.first + round.count, count: 0, mostRows: 0, mostColumns: 0, logits: 0 };
      }
      const [firstRow, { firstColumn, columnCount }] = [chunk.firstRow + row, chunk];
      const isFirst = row === 0 ? 1 : 0;
      const gradients = rowTotal + firstColumn;
      blocks.push(firstRow, rowCount, firstColumn, columnCount, round.logits, stride, isFirst, gradients);
      round = {
        first: round.first,
        count: round.count + 1,
        mostRows: Math.max(round.mostRows, rowCount),
        mostColumns: Math.max(round.mostColumns, columnCount),
        logits: round.logits + rowCount * stride,
      };
      lastChunk = chunk;
    }
  }
  rounds.push(round);
  return { blocks: Uint32Array.from(blocks), rounds };
}
