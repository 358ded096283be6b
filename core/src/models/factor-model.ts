import {
  openRecommender,
  type Recommender,
  type RecommenderKind,
  RecommenderFileError,
  saveRecommender,
} from '../recommender.ts';
import { type FoldInProblem, foldInLeastSquares, leastSquaresParts } from './least-squares-fold-in.ts';
import type { LinearAlgebra } from './linear-algebra.ts';
import { createVectorRecommender } from './vector-recommender.ts';

/** A factorisation, whose users are folded in by least squares. */
export interface FactorModel extends FoldInProblem {
  readonly kind: RecommenderKind;
  /** `[userCount, dimension]`. */
  readonly users: Float32Array;
}

export function createFactorModel(model: FactorModel, algebra: LinearAlgebra): Recommender {
  const { kind, users, items, dimension, unobserved, regularization, exponent } = model;
  const counts = { userCount: users.length / dimension, itemCount: items.length / dimension };
  return createVectorRecommender({
    kind,
    vectors: { dimension, users, items },
    algebra,
    foldIn: (histories) => foldInLeastSquares(model, histories, algebra),
    parts: (history) => leastSquaresParts(model, history, algebra),
    save: () =>
      saveRecommender({ kind, ...counts }, { dimension, unobserved, regularization, exponent }, { users, items }),
  });
}

/** @throws RecommenderFileError */
export function loadFactorModel(bytes: Uint8Array, kind: RecommenderKind, algebra: LinearAlgebra): Recommender {
  const file = openRecommender(bytes, kind);
  const dimension = file.number('dimension');
  if (!(dimension >= 1)) throw new RecommenderFileError('MALFORMED', `dimension is ${dimension}, wanted at least 1.`);
  return createFactorModel(
    {
      kind,
      dimension,
      users: file.float32('users', file.number('userCount') * dimension),
      items: file.float32('items', file.number('itemCount') * dimension),
      unobserved: file.number('unobserved'),
      regularization: file.number('regularization'),
      exponent: file.number('exponent'),
    },
    algebra,
  );
}
