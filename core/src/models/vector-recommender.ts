import type { ItemLists } from '../interaction-matrix.ts';
import type { Explanation, Recommender, RecommenderKind, RecommenderVectors } from '../recommender.ts';
import { checkRows, cleanHistories, singleHistory } from './histories.ts';
import type { LinearAlgebra } from './linear-algebra.ts';

/** What a model with vectors adds to them. */
export interface VectorModel {
  readonly kind: RecommenderKind;
  readonly vectors: RecommenderVectors;
  readonly algebra: LinearAlgebra;
  /** Vectors of clean histories (ascending rows, no repeats), `[histories, dimension]`. */
  readonly foldIn: (histories: ItemLists) => Promise<Float32Array>;
  /** What each item of a clean history adds to the user vector, `[items, dimension]`; the vector is their sum. */
  readonly parts: (history: Int32Array) => Promise<Float32Array>;
  readonly save: () => Uint8Array<ArrayBuffer>;
}

/** A recommender whose scores are inner products of `model.vectors`. */
export function createVectorRecommender(model: VectorModel): Recommender {
  const { vectors, algebra } = model;
  const { dimension, users, items } = vectors;
  const itemCount = dimension === 0 ? 0 : items.length / dimension;
  const userCount = dimension === 0 ? 0 : users.length / dimension;
  const score = async (queries: Float32Array): Promise<Float32Array> => {
    const rows = queries.length / dimension;
    const scores = new Float32Array(rows * itemCount);
    await algebra.multiply({
      a: queries,
      b: items,
      c: scores,
      rows,
      columns: itemCount,
      depth: dimension,
      transposeB: true,
    });
    return scores;
  };
  const foldIn = (histories: ItemLists) => model.foldIn(cleanHistories(histories, itemCount));
  return {
    kind: model.kind,
    userCount,
    itemCount,
    vectors,
    scoreUsers: async (userRows) => {
      checkRows(userRows, userCount, 'User');
      const queries = new Float32Array(userRows.length * dimension);
      userRows.forEach((user, index) => {
        queries.set(users.subarray(user * dimension, (user + 1) * dimension), index * dimension);
      });
      return score(queries);
    },
    scoreHistories: async (histories) => score(await foldIn(histories)),
    foldIn: async (histories) => foldIn(histories),
    explain: async (history, itemRow) => {
      checkRows([itemRow], itemCount, 'Item');
      const own = cleanHistories(singleHistory(history), itemCount).items;
      const parts = await model.parts(own);
      const amounts = Array.from(own, (_, index) => {
        let amount = 0;
        for (let k = 0; k < dimension; k++) {
          amount += (parts[index * dimension + k] as number) * (items[itemRow * dimension + k] as number);
        }
        return amount;
      });
      return explanationOf(own, amounts);
    },
    save: model.save,
  };
}

/** Amounts of the items of a history, in order; nothing remains. */
export function explanationOf(history: Int32Array, amounts: readonly number[]): Explanation {
  const contributions = Array.from(history, (itemRow, index) => ({ itemRow, amount: amounts[index] ?? 0 }));
  return {
    contributions: contributions.toSorted((a, b) => b.amount - a.amount || a.itemRow - b.itemRow),
    remainder: 0,
  };
}

/** Sums of weighted rows of `table` `[itemCount, dimension]`: one for each history, `[histories, dimension]`. */
export async function sumRows(
  histories: ItemLists,
  table: Float32Array,
  { weights, dimension, algebra }: { weights: Float32Array; dimension: number; algebra: LinearAlgebra },
): Promise<Float32Array> {
  const out = new Float32Array((histories.offsets.length - 1) * dimension);
  const values = new Float32Array(histories.items.length);
  histories.items.forEach((item, at) => {
    values[at] = weights[item] as number;
  });
  await algebra.multiplySparse({
    offsets: histories.offsets,
    indices: histories.items,
    values,
    dense: table,
    denseRows: table.length / dimension,
    columns: dimension,
    out,
  });
  return out;
}
