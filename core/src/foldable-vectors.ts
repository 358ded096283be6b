import type { InteractionMatrix } from './interaction-matrix.ts';
import type { Embeddings } from './lightgcn/light-gcn.ts';
import { chooseAlgebra } from './models/choose-algebra.ts';
import { fitFoldInMap } from './models/fold-in-map.ts';

/** A model as an artefact holds it: vectors, and how `foldInUser` folds users in among them. */
export interface FoldableVectors extends Embeddings {
  readonly foldInPower: number;
  readonly foldInMap: Float32Array | null;
}

/** Vectors that were trained on `train`, with the map that folds users in best. */
export async function makeFoldable(train: InteractionMatrix, vectors: Embeddings): Promise<FoldableVectors> {
  return { ...vectors, foldInPower: 0, foldInMap: await fitFoldInMap(train, vectors, chooseAlgebra()) };
}
