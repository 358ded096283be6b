import type {
  BatchRecommendationId,
  ImportId,
  ModelId,
  ModelVersionId,
  TenantId,
  TrainingRunId,
  TuningId,
  UserExportId,
  WebhookEventId,
  WebhookId,
} from '@kindred/domain/ids';
import type { JobId } from '@kindred/domain/jobs';
import type { TrainingPhase } from '@kindred/domain/training';
import type { ErasureRef } from '@kindred/domain/user-events';

/** The task queues: one worker process per queue. */
export const TASK_QUEUES = {
  workflows: 'workflows',
  data: 'data',
  'train-cpu': 'train-cpu',
  'train-gpu': 'train-gpu',
} as const;

/** Where workers of `train-gpu` say that they are there, even while they compute and take nothing else. */
export const GPU_PRESENCE_QUEUE = 'train-gpu-presence';

export type TaskQueue = keyof typeof TASK_QUEUES;

/** What all builds of the worker of the queue `workflows` are versions of. */
export const DEPLOYMENT_NAME = 'kindred-workflows';

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
  /** Somebody decided about the version on trial: the database says what. */
  lookAtCanary: 'lookAtCanary',
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

/** How a training is started, whoever starts it: found by its run, and where many wait for a worker, in turn with other tenants'. */
export function trainingStart(input: TrainModelInput) {
  const { tenantId, modelId, runId } = input;
  const workflowId = trainModelWorkflowId(tenantId, modelId);
  return { workflowId, args: [input] as [TrainModelInput], memo: { runId }, priority: { fairnessKey: tenantId } };
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

/** The type name of the workflow that tells one webhook of one event. */
export const DELIVER_WEBHOOK = 'deliverWebhook';

export interface WebhookDeliveryRef {
  tenantId: TenantId;
  webhookId: WebhookId;
  eventId: WebhookEventId;
}

export interface DeliverWebhookInput extends WebhookDeliveryRef {
  /** How long to wait before each further attempt at least, in milliseconds; one entry each. */
  waitsMs: readonly number[];
}

/** `NOT_WANTED`: the webhook is gone or disabled, or has the event; `DISABLED`: it is disabled for what it did not take. */
export interface DeliverWebhookOutcome {
  state: 'TAKEN' | 'NOT_WANTED' | 'GIVEN_UP' | 'DISABLED';
  attempts: number;
}

const [SECOND, MINUTE, HOUR] = [1_000, 60_000, 3_600_000];

/** Eight attempts over 27.6 hours, and up to a fifth longer (Standard Webhooks specification, "Retry schedule"). */
export const WEBHOOK_WAITS_MS: readonly number[] = [
  5 * SECOND,
  5 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  5 * HOUR,
  10 * HOUR,
  10 * HOUR,
];

/** One delivery per webhook and event. */
export function deliverWebhookWorkflowId({ tenantId, webhookId, eventId }: WebhookDeliveryRef): string {
  return `tenant/${tenantId}/webhook/${webhookId}/event/${eventId}`;
}

/** The type name of the workflow that forgets a user. */
export const ERASE_USER = 'eraseUser';

/** The type name of the workflow that looks into every store for a user who was erased. */
export const VERIFY_ERASURE = 'verifyErasure';

/** The type name of the workflow that gathers a copy of a user's data, and deletes it when its time is over. */
export const EXPORT_USER_DATA = 'exportUserData';

/** A copy that is to be made. */
export interface ExportUserDataInput {
  tenantId: TenantId;
  exportId: UserExportId;
}

export function eraseUserWorkflowId({ tenantId, erasureId }: ErasureRef): string {
  return `tenant/${tenantId}/erasure/${erasureId}`;
}

export function exportUserDataWorkflowId({ tenantId, exportId }: ExportUserDataInput): string {
  return `tenant/${tenantId}/export/${exportId}`;
}

/** The type name of the workflow that deletes what tenants do not want to keep any longer. */
export const ENFORCE_RETENTION = 'enforceRetention';

/** The id of its nightly schedule, and of what that starts. */
export const RETENTION_WORKFLOW_ID = 'platform/retention';

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

/** The type name of the workflow that writes recommendations for many users into a file. */
export const BATCH_RECOMMEND = 'batchRecommend';

export type BatchRecommendInput = JobInput<BatchRecommendationId>;

/** A job has one workflow, ever: a second start of it finds the first. */
export function jobWorkflowId({ tenantId, jobId }: JobInput<JobId>): string {
  return `tenant/${tenantId}/job/${jobId}`;
}
