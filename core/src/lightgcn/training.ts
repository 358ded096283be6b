import type { FileMemory } from '../columnar-file.ts';
import type { InteractionMatrix } from '../interaction-matrix.ts';
import { type EvaluationCase, prepareEvaluation } from '../metrics/evaluation-case.ts';
import { measureLists, meanOf } from '../metrics/list-quality.ts';
import { rankUsers } from '../metrics/rank-users.ts';
import type { BackendOptions } from './backend.ts';
import { type BestEpoch, layOutLightGcn, loadCheckpoint, saveLightGcn } from './checkpoint.ts';
import type { Hyperparameters } from './hyperparameters.ts';
import { createLightGcn, type Embeddings, embeddings, embeddingsOf, type LightGcn, trainEpoch } from './light-gcn.ts';

/** A training with early stopping on validation NDCG@10, between two epochs; its owner calls `closeTraining`. */
export interface Training {
  readonly model: LightGcn;
  readonly train: InteractionMatrix;
  readonly validation: InteractionMatrix;
  readonly evaluation: EvaluationCase;
  best: BestEpoch | null;
}

/** One finished epoch; metrics are on the validation interactions, 0 when there are none. */
export interface EpochReport {
  readonly epoch: number;
  readonly loss: number;
  readonly sampleCount: number;
  readonly ndcgAt10: number;
  readonly recallAt10: number;
}

/** A training that has not begun. @throws what `createLightGcn` throws. */
export async function createTraining(
  train: InteractionMatrix,
  validation: InteractionMatrix,
  hyperparameters: Hyperparameters,
  options: BackendOptions = {},
): Promise<Training> {
  const model = await createLightGcn(train, hyperparameters, options);
  return { model, train, validation, evaluation: prepareEvaluation(train, validation), best: null };
}

/** Whether all epochs are done or `patience` epochs have passed without a better validation NDCG. */
export function isTrainingFinished({ model, best, validation }: Training): boolean {
  const { epochs, patience } = model.hyperparameters;
  if (model.state.epoch >= epochs) return true;
  return validation.userRows.length > 0 && best !== null && model.state.epoch - best.epoch >= patience;
}

/**
 * Trains and evaluates one more epoch, and keeps its vectors when they are the best so far (without validation
 * interactions the latest count as the best).
 * @throws TrainingDivergedError
 */
export async function trainNextEpoch(training: Training): Promise<EpochReport> {
  const { model, validation } = training;
  const { loss, sampleCount } = await trainEpoch(model);
  const isUnmeasured = validation.userRows.length === 0;
  const quality = isUnmeasured ? { ndcgAt10: 0, recallAt10: 0 } : await measureQuality(training);
  const { epoch } = model.state;
  if (training.best === null || quality.ndcgAt10 > training.best.ndcgAt10 || isUnmeasured) {
    training.best = { epoch, ...quality, ego: model.state.ego.slice() };
  }
  return { epoch, loss, sampleCount, ...quality };
}

/** The quality of the model as it stands, on the validation interactions. */
async function measureQuality({ model, evaluation }: Training): Promise<Pick<EpochReport, 'ndcgAt10' | 'recallAt10'>> {
  const { users, items, dimension } = await embeddings(model);
  const lists = rankUsers({ userVectors: users, itemVectors: items, dimension }, evaluation, { cutoff: 10 });
  const { ndcg, recall } = measureLists(lists, evaluation);
  return { ndcgAt10: meanOf(ndcg), recallAt10: meanOf(recall) };
}

/** The final vectors of the best epoch so far (of the untrained model before the first epoch). */
export function bestEmbeddings({ model, best }: Training): Promise<Embeddings> {
  return best ? embeddingsOf(model, best.ego) : embeddings(model);
}

/** Releases what the back-end holds; of the training only `saveTraining` and plain fields remain. */
export function closeTraining({ model }: Training): void {
  model.backend.close();
}

/** The whole training between two epochs as one file with a sha256. */
export function saveTraining(training: Training): Uint8Array<ArrayBuffer> {
  return saveLightGcn(training.model, training.best);
}

/**
 * The file of `saveTraining` before its sha256, in memory of the caller's: the same memory again and again makes nothing to
 * collect. `sealColumns` makes it whole.
 */
export function layOutTraining<Memory extends ArrayBufferLike>(
  { model, best }: Training,
  memoryFor: FileMemory<Memory>,
): Uint8Array<Memory> {
  return layOutLightGcn(model, best, memoryFor);
}

/**
 * The saved training on the same matrices; it continues bit for bit.
 * @throws CheckpointError when the bytes are damaged or of other training data.
 */
export async function loadTraining(
  bytes: Uint8Array,
  train: InteractionMatrix,
  validation: InteractionMatrix,
  options: BackendOptions = {},
): Promise<Training> {
  const checkpoint = await loadCheckpoint(bytes, train, options);
  return { ...checkpoint, train, validation, evaluation: prepareEvaluation(train, validation) };
}

/**
 * The vectors that `bestEmbeddings` gives of the saved training.
 * @throws what `loadTraining` throws.
 */
export async function loadBestEmbeddings(
  bytes: Uint8Array,
  train: InteractionMatrix,
  validation: InteractionMatrix,
): Promise<Embeddings> {
  const training = await loadTraining(bytes, train, validation);
  try {
    return await bestEmbeddings(training);
  } finally {
    closeTraining(training);
  }
}
