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

export interface SoftmaxPlanner {
  /** The plan of a batch whose users and positives have these slots; good until the next one. */
  plan(batch: PairBatch & Pick<BatchSlots, 'slotLists'>, settings: SoftmaxSettings, slotCount: number): SoftmaxPlan;
}

/** Plans batches in working memory that it keeps; a round has at most `logitBytes`, or one row. */
export function createSoftmaxPlanner(size: {
  readonly userCount: number;
  readonly logitBytes: number;
}): SoftmaxPlanner {
  let draft = createDraft(0);
  return {
    plan: (batch, { chunkSize, itemBias }, slotCount) => {
      const count = batch.users.length;
      if (draft.rows.length < count * 4) draft = createDraft(count);
      beginDraft(draft, batch, slotCount);
      const chunks: Chunk[] = [];
      for (let start = 0; start < count; start += chunkSize) {
        const end = Math.min(count, start + chunkSize);
        const chunk = addChunk(draft, start, end);
        listOwnColumns(draft, chunk);
        chunks.push(chunk);
      }
      const { rowCount, columnCount } = draft;
      weighColumns(draft, itemBias, size.userCount);
      return {
        rowCount,
        columnCount,
        rows: draft.rows.subarray(0, rowCount * 4),
        own: draft.own.subarray(0, draft.ownCount * 2),
        columns: draft.columns.subarray(0, columnCount * 2),
        ...cutBlocks(chunks, rowCount, size.logitBytes),
        appearances: listAppearances(draft, slotCount),
      };
    },
  };
}

/** A plan in the making: columns of the length that every pair needs at most. */
interface Draft {
  positives: Int32Array;
  userSlots: Uint32Array;
  itemSlots: Uint32Array;
  rowCount: number;
  columnCount: number;
  ownCount: number;
  readonly rows: Uint32Array<ArrayBuffer>;
  readonly own: Uint32Array<ArrayBuffer>;
  readonly columns: Uint32Array<ArrayBuffer>;
  /** The second half of each of `columns`. */
  readonly columnBiases: Float32Array;
  readonly columnCounts: Uint32Array;
  readonly columnNodes: Uint32Array;
  /** The slots of all rows, and then of all columns. */
  readonly slots: Uint32Array;
  /** The column of each pair, and the pair before it in its row; the last pair of each row, -1 for none. */
  readonly columnOfPair: Uint32Array;
  readonly pairBefore: Int32Array;
  readonly lastPair: Int32Array;
  /** The latest row or column of each slot. */
  readonly placeOfSlot: Int32Array;
  /** The latest row that has each column as its own, and where that is listed. */
  readonly lastRow: Int32Array;
  readonly placeOfOwn: Uint32Array;
}

/** Room for batches of up to `count` pairs. */
function createDraft(count: number): Draft {
  const none = new Int32Array(0);
  const columns = new Uint32Array(count * 2);
  return {
    positives: none,
    userSlots: new Uint32Array(0),
    itemSlots: new Uint32Array(0),
    rowCount: 0,
    columnCount: 0,
    ownCount: 0,
    rows: new Uint32Array(count * 4),
    own: new Uint32Array(count * 2),
    columns,
    columnBiases: new Float32Array(columns.buffer),
    columnCounts: new Uint32Array(count),
    columnNodes: new Uint32Array(count),
    slots: new Uint32Array(count * 2),
    columnOfPair: new Uint32Array(count),
    pairBefore: new Int32Array(count),
    lastPair: new Int32Array(count),
    placeOfSlot: new Int32Array(count * 2),
    lastRow: new Int32Array(count),
    placeOfOwn: new Uint32Array(count),
  };
}

function beginDraft(
  draft: Draft,
  { positives, slotLists }: PairBatch & Pick<BatchSlots, 'slotLists'>,
  slotCount: number,
): void {
  const [userSlots = new Uint32Array(0), itemSlots = new Uint32Array(0)] = slotLists;
  Object.assign(draft, { positives, userSlots, itemSlots, rowCount: 0, columnCount: 0, ownCount: 0 });
  draft.placeOfSlot.fill(-1, 0, slotCount);
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
  const { rows, columns, columnCounts, columnNodes, columnOfPair, pairBefore, lastPair, lastRow, placeOfSlot } = draft;
  const { userSlots, itemSlots, positives } = draft;
  let [rowCount, columnCount] = [firstRow, firstColumn];
  for (let pair = start; pair < end; pair++) {
    const [userSlot, itemSlot] = [userSlots[pair] as number, itemSlots[pair] as number];
    let row = placeOfSlot[userSlot] as number;
    if (row < firstRow) {
      row = rowCount++;
      placeOfSlot[userSlot] = row;
      rows[row * 4] = userSlot;
      rows[row * 4 + 3] = 0;
      lastPair[row] = -1;
    }
    let column = placeOfSlot[itemSlot] as number;
    if (column < firstColumn) {
      column = columnCount++;
      placeOfSlot[itemSlot] = column;
      columns[column * 2] = itemSlot;
      columnNodes[column] = positives[pair] as number;
      columnCounts[column] = 0;
      lastRow[column] = -1;
    }
    columnCounts[column] = (columnCounts[column] as number) + 1;
    columnOfPair[pair] = column;
    rows[row * 4 + 3] = (rows[row * 4 + 3] as number) + 1;
    pairBefore[pair] = lastPair[row] as number;
    lastPair[row] = pair;
  }
  draft.rowCount = rowCount;
  draft.columnCount = columnCount;
  return { firstRow, rowCount: rowCount - firstRow, firstColumn, columnCount: columnCount - firstColumn };
}

/** Lists for each row of the chunk its own columns, each once. */
function listOwnColumns(draft: Draft, chunk: Chunk): void {
  const { rows, own, lastRow, placeOfOwn, columnOfPair, pairBefore, lastPair } = draft;
  let { ownCount } = draft;
  for (let row = chunk.firstRow; row < chunk.firstRow + chunk.rowCount; row++) {
    rows[row * 4 + 1] = ownCount;
    for (let pair = lastPair[row] as number; pair >= 0; pair = pairBefore[pair] as number) {
      const column = columnOfPair[pair] as number;
      if (lastRow[column] !== row) {
        lastRow[column] = row;
        placeOfOwn[column] = ownCount;
        own[ownCount * 2] = column - chunk.firstColumn;
        own[ownCount * 2 + 1] = 0;
        ownCount += 1;
      }
      const multiplicity = (placeOfOwn[column] as number) * 2 + 1;
      own[multiplicity] = (own[multiplicity] as number) + 1;
    }
    rows[row * 4 + 2] = ownCount;
  }
  draft.ownCount = ownCount;
}

/** Writes the logarithm of how often each column's item occurs, plus its bias. */
function weighColumns(draft: Draft, itemBias: Float32Array, userCount: number): void {
  const { columnBiases, columnCounts, columnNodes, columnCount } = draft;
  for (let column = 0; column < columnCount; column++) {
    const bias = itemBias[(columnNodes[column] as number) - userCount] ?? 0;
    const count = columnCounts[column] as number;
    columnBiases[column * 2 + 1] = count === 1 ? bias : Math.log(count) + bias;
  }
}

function listAppearances({ rows, columns, slots, rowCount, columnCount }: Draft, slotCount: number): InvertedList {
  for (let row = 0; row < rowCount; row++) slots[row] = rows[row * 4] as number;
  for (let column = 0; column < columnCount; column++) slots[rowCount + column] = columns[column * 2] as number;
  return invert(slots.subarray(0, rowCount + columnCount), slotCount);
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
