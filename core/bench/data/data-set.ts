import { join } from 'node:path';
import type { InteractionMatrix, ItemLists } from '../../src/interaction-matrix.ts';

/** A public data set with its split; `validation` is held out of `train` for choices, `test` is touched once. */
export interface DataSet {
  readonly name: string;
  /** What is a positive, and how it was split. */
  readonly protocol: string;
  readonly cutoff: 10 | 20;
  readonly train: InteractionMatrix;
  readonly test: InteractionMatrix;
  /** Features of each item (genres, decade), where the data have any. */
  readonly itemFeatures: ItemLists | null;
  /** All training pairs less a validation part, where the data come with one. */
  readonly given?: { readonly train: InteractionMatrix; readonly validation: InteractionMatrix };
}

export const dataFolder = process.env.KINDRED_DATA_DIR ?? join(import.meta.dirname, '../../../../shared/data');

/** Rows for ids in order of appearance. */
export function createRowMap(): { rowOf: (id: string) => number; ids: Map<string, number> } {
  const ids = new Map<string, number>();
  const rowOf = (id: string): number => {
    const known = ids.get(id);
    if (known !== undefined) return known;
    ids.set(id, ids.size);
    return ids.size - 1;
  };
  return { rowOf, ids };
}

/** Pairs (and times in milliseconds, 0 where absent) as a matrix with weight 1. */
export function matrixOfRows(
  counts: { userCount: number; itemCount: number },
  rows: readonly (readonly [user: number, item: number, time?: number])[],
): InteractionMatrix {
  return {
    ...counts,
    userRows: Int32Array.from(rows, ([user]) => user),
    itemRows: Int32Array.from(rows, ([, item]) => item),
    weights: new Float32Array(rows.length).fill(1),
    timestamps: Float64Array.from(rows, ([, , time = 0]) => time),
  };
}

/** Lists of feature rows for each item from lists of feature names. */
export function featureLists(names: readonly (readonly string[])[]): ItemLists {
  const { rowOf } = createRowMap();
  const lists = names.map((own) => [...new Set(own.map(rowOf))].toSorted((a, b) => a - b));
  const offsets = new Int32Array(lists.length + 1);
  lists.forEach((list, index) => {
    offsets[index + 1] = (offsets[index] ?? 0) + list.length;
  });
  return { offsets, items: Int32Array.from(lists.flat()) };
}

/** "year" as a decade feature, nothing where there is none. */
export function decadeOf(text: string): string[] {
  const year = /\b(19|20)\d\d\b/.exec(text)?.[0];
  return year ? [`decade ${year.slice(0, 3)}0`] : [];
}
