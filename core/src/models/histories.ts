import type { ItemLists } from '../interaction-matrix.ts';

/** @throws RangeError for the first row outside [0, count). */
export function checkRows(rows: Iterable<number>, count: number, name: string): void {
  for (const row of rows) {
    if (!Number.isInteger(row) || row < 0 || row >= count) {
      throw new RangeError(`${name} row ${row} is outside [0, ${count}).`);
    }
  }
}

/** The lists of the given users, in the given order. @throws RangeError for a row outside. */
export function selectHistories(lists: ItemLists, userRows: Int32Array): ItemLists {
  checkRows(userRows, lists.offsets.length - 1, 'User');
  const offsets = new Int32Array(userRows.length + 1);
  userRows.forEach((user, index) => {
    offsets[index + 1] = (offsets[index] ?? 0) + (lists.offsets[user + 1] ?? 0) - (lists.offsets[user] ?? 0);
  });
  const items = new Int32Array(offsets.at(-1) ?? 0);
  userRows.forEach((user, index) => {
    items.set(lists.items.subarray(lists.offsets[user], lists.offsets[user + 1]), offsets[index]);
  });
  return { offsets, items };
}

/** One list. */
export function singleHistory(items: Int32Array): ItemLists {
  return { offsets: Int32Array.of(0, items.length), items };
}

/**
 * The same histories, ascending and without repeats, as the models read them; the lists themselves where they are so.
 * @throws RangeError for a row outside [0, itemCount).
 */
export function cleanHistories(histories: ItemLists, itemCount: number): ItemLists {
  checkRows(histories.items, itemCount, 'Item');
  const lists: Int32Array[] = [];
  let isClean = true;
  for (let index = 0; index + 1 < histories.offsets.length; index++) {
    const own = histories.items.subarray(histories.offsets[index], histories.offsets[index + 1]);
    const clean = own.every((item, at) => at === 0 || item > (own[at - 1] ?? 0));
    isClean &&= clean;
    lists.push(clean ? own : Int32Array.from(new Set(own)).toSorted());
  }
  if (isClean) return histories;
  const offsets = new Int32Array(lists.length + 1);
  lists.forEach((list, index) => {
    offsets[index + 1] = (offsets[index] ?? 0) + list.length;
  });
  const items = new Int32Array(offsets.at(-1) ?? 0);
  lists.forEach((list, index) => items.set(list, offsets[index]));
  return { offsets, items };
}

/** The lists the other way round: for each of `itemCount` items the rows that hold it, ascending. */
export function transposeLists(lists: ItemLists, itemCount: number): ItemLists {
  const offsets = new Int32Array(itemCount + 1);
  for (const item of lists.items) offsets[item + 1] = (offsets[item + 1] as number) + 1;
  for (let item = 0; item < itemCount; item++) {
    offsets[item + 1] = (offsets[item + 1] as number) + (offsets[item] as number);
  }
  const next = offsets.slice();
  const items = new Int32Array(lists.items.length);
  for (let row = 0; row + 1 < lists.offsets.length; row++) {
    for (let entry = lists.offsets[row] as number; entry < (lists.offsets[row + 1] as number); entry++) {
      const item = lists.items[entry] as number;
      const slot = next[item] as number;
      items[slot] = row;
      next[item] = slot + 1;
    }
  }
  return { offsets, items };
}

/** The length of each list. */
export function countPerRow({ offsets }: Pick<ItemLists, 'offsets'>): Int32Array {
  return Int32Array.from({ length: offsets.length - 1 }, (_, row) => (offsets[row + 1] ?? 0) - (offsets[row] ?? 0));
}

/** degree ^ exponent of each; 0 where the degree is 0. */
export function powers(degrees: Int32Array, exponent: number): Float32Array {
  return Float32Array.from(degrees, (degree) => (degree === 0 ? 0 : degree ** exponent));
}

/** A table `[rows, columns]` with each value multiplied by that of its row and that of its column. */
export function scaleTable(table: Float32Array, byRow: Float32Array, byColumn: Float64Array): Float32Array {
  const columns = byColumn.length;
  const out = new Float32Array(table.length);
  for (let row = 0, at = 0; at < table.length; row++) {
    const scale = byRow[row] as number;
    for (let column = 0; column < columns; column++, at++) {
      out[at] = scale * (byColumn[column] as number) * (table[at] as number);
    }
  }
  return out;
}
