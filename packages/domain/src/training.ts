/** Where a training run is in its process, in order. */
export type TrainingPhase = 'PREFLIGHT' | 'SNAPSHOT' | 'TRAIN' | 'EVALUATE' | 'BUILD_INDEX' | 'PROMOTE';

export type TrainingRunStatus = 'QUEUED' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED';

export type ModelVersionStatus = 'BUILDING' | 'READY' | 'ACTIVE' | 'RETIRED';

export type Algorithm = 'LIGHTGCN';

export type IndexKind = 'EXACT' | 'FAISS';

/** Ranking quality at cut-off 10 over all items (full ranking), each a mean over the evaluated users, range 0-1. */
export interface RankingMetrics {
  ndcgAt10: number;
  recallAt10: number;
  hitRateAt10: number;
  coverageAt10: number;
}

/** LightGCN run configuration, stored with the run and its version. */
export interface Hyperparameters {
  dimension: number;
  layers: number;
  learningRate: number;
  regularization: number;
  batchSize: number;
  epochs: number;
  patience: number;
  seed: number;
}

/** The interactions that training does not see: one part chooses the epoch, the other measures the result. */
export type HeldOutPart = 'VALIDATION' | 'TEST';

/** What one stored training event says. Times are epoch milliseconds, durations milliseconds. */
export type TrainingEventBody =
  | { kind: 'PHASE_STARTED'; phase: TrainingPhase; message: string }
  | {
      kind: 'EPOCH_FINISHED';
      epoch: number;
      epochs: number;
      loss: number;
      ndcgAt10: number;
      recallAt10: number;
      samplesPerSecond: number;
      etaMs: number;
    }
  | { kind: 'BASELINE_EVALUATED'; name: string; heldOut: HeldOutPart; metrics: RankingMetrics }
  | { kind: 'MODEL_EVALUATED'; heldOut: HeldOutPart; metrics: RankingMetrics }
  | { kind: 'LOG'; message: string }
  | { kind: 'FINISHED'; status: Extract<TrainingRunStatus, 'SUCCEEDED' | 'FAILED' | 'CANCELLED'>; message: string };

/** One live event of a run. `sequence` starts at 1 and has no gaps within a run. */
export interface TrainingEvent {
  runId: string;
  sequence: number;
  at: number;
  body: TrainingEventBody;
}

/** The Redis channel on which a run's events are fanned out; the tenant is part of every topic. */
export function trainingTopic(tenantId: string, runId: string): string {
  return `tenant:${tenantId}:training:${runId}`;
}

/** The Redis channel that tells serving replicas that a tenant's active version changed. */
export function promotionTopic(tenantId: string): string {
  return `tenant:${tenantId}:promotion`;
}

/**
 * What a model starts from where its creator says nothing: core's defaults for MovieLens ml-latest-small, chosen on
 * validation data (core/src/lightgcn/hyperparameters.ts). A run that keeps this batch size gets `defaultBatchSize`.
 */
export const DEFAULT_HYPERPARAMETERS: Hyperparameters = {
  dimension: 64,
  layers: 2,
  learningRate: 0.01,
  regularization: 0.001,
  batchSize: 4096,
  epochs: 50,
  patience: 8,
  seed: 1,
};

/** The batch that makes an epoch over so many interactions about 20 steps long: core's rule, between 64 and 8,192. */
export function defaultBatchSize(interactionCount: number): number {
  const exponent = Math.round(Math.log2(Math.max(1, interactionCount) / 20));
  return Math.min(8192, Math.max(64, 2 ** exponent));
}
