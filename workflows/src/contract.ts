import type { ImportId, ModelId, ModelVersionId, TenantId, TrainingRunId, TuningId } from '@kindred/domain/ids';
import type { JobId } from '@kindred/domain/jobs';
import type { TrainingPhase } from '@kindred/domain/training';

/** The task queues: one worker process per queue. */
export const TASK_QUEUES = { workflows: 'workflows', data: 'data', 'train-cpu': 'train-cpu' } as const;

export type TaskQueue = keyof typeof TASK_QUEUES;

/** The type name of the workflow that trains a model, from preflight to promotion. */
export const TRAIN_MODEL = 'trainModel';

/** A run that exists as a row in QUEUED, and whose it is. */
export interface TrainModelInput {
  tenantId: TenantId;
  runId: TrainingRunId;
  modelId: ModelId;
}

/** What a training that succeeded ends with. */
export interface TrainModelOutcome {
  versionId: ModelVersionId;
}

/** The signals by which people steer a training; each carries a `SteeringRequest`. Cancelling is Temporal's own. */
export const STEERING_SIGNALS = {
  pause: 'pauseTrainingRun',
  resume: 'resumeTrainingRun',
  stop: 'stopTrainingRun',
} as const;

export type SteeringSignal = keyof typeof STEERING_SIGNALS;

/** `requestId` names the wish: however often it arrives, it counts once. */
export interface SteeringRequest {
  requestId: string;
}

/** The query that tells where a training stands, for operators in Temporal's own interface. */
export const TRAINING_STATE = 'trainingState';

export interface TrainingState {
  phase: TrainingPhase;
  isPaused: boolean;
  isStopping: boolean;
}

/** One open training per model: two starts at once meet in this id, and Temporal lets one through. */
export function trainModelWorkflowId(tenantId: TenantId, modelId: ModelId): string {
  return `tenant/${tenantId}/model/${modelId}/training`;
}

/** The type name of the workflow that a model's schedule starts. */
export const RETRAIN_ON_SCHEDULE = 'retrainOnSchedule';

export interface RetrainInput {
  tenantId: TenantId;
  modelId: ModelId;
}

/** The run that was trained, or why none was due. */
export type RetrainOutcome = { runId: TrainingRunId } | { runId: null; reason: string };

/** The id of a model's schedule, and of what it starts. */
export function retrainWorkflowId(tenantId: TenantId, modelId: ModelId): string {
  return `tenant/${tenantId}/model/${modelId}/retraining`;
}

/** The least that a training can learn from and be measured on. */
export const MINIMUM_DATA = { userCount: 5, itemCount: 10, interactionCount: 50 } as const;

/** The type name of the workflow that brings an uploaded file into the catalogue. */
export const IMPORT_DATA = 'importData';

/** A job that exists as a row in QUEUED, and whose it is. */
export interface JobInput<Id extends JobId> {
  tenantId: TenantId;
  jobId: Id;
}

export type ImportDataInput = JobInput<ImportId>;

/** The type names of the workflow that looks for better settings of a model, and of its trials. */
export const TUNE_MODEL = 'tuneModel';
export const TUNE_TRIAL = 'tuneTrial';

export type TuneModelInput = JobInput<TuningId>;

export interface TuneTrialInput extends TuneModelInput {
  /** From 0. */
  trial: number;
}

/** A job has one workflow, ever: a second start of it finds the first. */
export function jobWorkflowId({ tenantId, jobId }: JobInput<JobId>): string {
  return `tenant/${tenantId}/job/${jobId}`;
}
