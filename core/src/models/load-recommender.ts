import { type Recommender, RecommenderFileError, recommenderKindOf } from '../recommender.ts';
import { bpr } from './bpr.ts';
import { createContentFactory } from './content-tower.ts';
import { ease } from './ease.ts';
import { graphFilter } from './graph-filter.ts';
import { ials } from './ials.ts';
import { itemKnn } from './item-knn.ts';
import { lightGcn } from './lightgcn-recommender.ts';
import type { LinearAlgebra } from './linear-algebra.ts';
import { popularity } from './popularity-model.ts';
import { spectral } from './spectral.ts';

const content = createContentFactory({
  lists: { offsets: Int32Array.of(0), items: new Int32Array(0) },
  featureCount: 0,
});
const FACTORIES = [popularity, itemKnn, spectral, graphFilter, ease, ials, bpr, lightGcn, content];

/** Any saved model. @throws RecommenderFileError */
export function loadRecommender(bytes: Uint8Array, options: { algebra?: LinearAlgebra } = {}): Recommender {
  const kind = recommenderKindOf(bytes);
  const factory = FACTORIES.find((one) => one.kind === kind);
  if (!factory) throw new RecommenderFileError('WRONG_FORMAT', `Wanted a known kind of model, got ${kind}.`);
  return factory.load(bytes, options);
}
