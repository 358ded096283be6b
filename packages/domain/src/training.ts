/** Where a training run is in its process, in order. */
export type TrainingPhase =
  | 'PREFLIGHT'
  | 'SNAPSHOT'
  | 'INSTANT_MODEL'
  | 'TRAIN'
  | 'EVALUATE'
  | 'BUILD_INDEX'
  | 'PROMOTE'
  | 'CANARY';

export type TrainingRunStatus = 'QUEUED' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED';

/** What a person's steering made of a run under way: it waits, it goes on, or it ends its training with what it has. */
export type SteeringChange = 'PAUSED' | 'RESUMED' | 'STOPPING';

export type ModelVersionStatus = 'BUILDING' | 'READY' | 'ACTIVE' | 'RETIRED';

export type Algorithm = 'LIGHTGCN';

/** What a version was made with: its model's algorithm, or the one that needs no training. */
export type VersionAlgorithm = Algorithm | 'SPECTRAL';

export type IndexKind = 'EXACT' | 'FAISS';

/** Ranking quality at cut-off 10 over all items (full ranking), each a mean over the evaluated users, range 0-1. */
export interface RankingMetrics {
  ndcgAt10: number;
  recallAt10: number;
  hitRateAt10: number;
  coverageAt10: number;
}

/** The stored training after an epoch: where it is, and the sha256 (hex) of its bytes. */
export interface Checkpoint {
  epoch: number;
  key: string;
  sha256: string;
}

/** When a model is trained without being asked: that often, if at least so many interactions have come in since. */
export interface TrainingSchedule {
  everyMinutes: number;
  afterInteractions: number;
}

/** What a new version has to hold against, or a floor that it must reach. */
export type QualityCheckName = 'ACTIVE_VERSION' | 'BEST_BASELINE' | 'COVERAGE' | 'INDEX_RECALL';

/** One condition of the quality gate, with what it saw: `message` says it in a sentence. */
export interface QualityCheck {
  name: QualityCheckName;
  passed: boolean;
  message: string;
  /** The measurement: a share, or the difference in NDCG@10 to what the version is compared with. */
  value: number;
  /** What `value`, or for a difference the upper end of its interval, must not be below. */
  floor: number;
  /** The 95 % interval of a difference over users; null for a share. */
  interval: { low: number; high: number } | null;
}

/** Whether a version is good enough to answer, and why. */
export interface QualityGate {
  passed: boolean;
  checks: QualityCheck[];
}

export type LossName = 'bpr' | 'softmax';

/** LightGCN run configuration, complete as a run keeps it; core's `Hyperparameters` says what each field means. */
export interface Hyperparameters {
  dimension: number;
  layers: number;
  learningRate: number;
  regularization: number;
  batchSize: number;
  epochs: number;
  patience: number;
  seed: number;
  loss: LossName;
  initialDeviation: number;
  userGroup: number;
  lengthExponent: number;
  /** Those of the softmax loss, absent with another. */
  temperature?: number;
  secondTemperature?: number;
  logQCorrection?: number;
  negatives?: number;
  negativesGrowth?: number;
}

/** What a person set of a model or a run; the rest follows the data of the run. */
export type HyperparameterSettings = Partial<Hyperparameters>;

export type BackendName = 'reference' | 'native' | 'webgpu' | 'tfjs';

/** What computed a training: the back-end, what of the machine it uses, and why it was chosen. */
export interface TrainingCompute {
  backend: BackendName;
  detail: string;
  reason: string;
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
  | { kind: SteeringChange; message: string }
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

/** The Redis channel that tells serving replicas that a tenant's active version changed, or its canary. */
export function promotionTopic(tenantId: string): string {
  return `tenant:${tenantId}:promotion`;
}
