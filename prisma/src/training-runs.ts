import { AppError } from '@kindred/domain/app-error';
import { encodeGlobalId, type ModelId, type TenantId, type TrainingRunId } from '@kindred/domain/ids';
import type {
  Checkpoint,
  Hyperparameters,
  HyperparameterSettings,
  QualityGate,
  SteeringChange,
  TrainingCompute,
  TrainingPhase,
  TrainingRunStatus,
} from '@kindred/domain/training';
import { allowTrainings } from './plan-limits.ts';
import type { ChosenDevice, DeviceRequest, DeviceWish, TrainingDevice } from '@kindred/domain/training-device';
import type { TenantTx } from './tenants.ts';
import { appendWebhookEvent } from './webhook-events.ts';

export interface TrainingRunRow {
  tenantId: TenantId;
  id: TrainingRunId;
  modelId: ModelId;
  status: TrainingRunStatus;
  phase: TrainingPhase | null;
  failure: string | null;
  /** Only what somebody set, of the model or of this run. */
  settings: HyperparameterSettings;
  /** What the run trains with; null until its own data have said the rest. */
  hyperparameters: Hyperparameters | null;
  /** What computes the run; null until the training begins. */
  compute: TrainingCompute | null;
  deviceWish: DeviceWish;
  /** Whether the run may do without a GPU that it was asked to compute with. */
  deviceFallback: boolean;
  /** What it computes with, and why; null until that is chosen. */
  device: TrainingDevice | null;
  deviceReason: string | null;
  /** Counts the attempts at training the run: the last one alone may write. */
  fence: number;
  /** What an attempt that takes over goes on from: the newest first, at most `KEPT_CHECKPOINTS`. */
  checkpoints: Checkpoint[];
  /** How the trained version was judged; null until it is. */
  qualityGate: QualityGate | null;
  lastSequence: number;
  /** Temporal's id of the execution that works on the run; null until it begins. */
  executionId: string | null;
  /** Since when the run waits; null while it does not. */
  pausedAt: Date | null;
  /** When the run was told to end its training with the best epoch so far; null when it was not. */
  stoppingAt: Date | null;
  createdAt: Date;
  startedAt: Date | null;
  finishedAt: Date | null;
  /** What computing it took, in milliseconds of one core. */
  cpuMs: number;
}

/** The model has a queued or running training already. */
export class RunOpenError extends Error {
  override readonly name = 'RunOpenError';

  constructor(modelId: ModelId) {
    super(`The model ${modelId} has a training that is queued or running.`);
  }
}

/**
 * Creates a QUEUED run; the database allows one open run per model.
 * @throws RunOpenError when one is open, PlanLimitError when the plan has no training left; the transaction goes on.
 * @throws AppError NOT_FOUND when the tenant has no such model.
 */
export async function createTrainingRun(
  tx: TenantTx,
  input: { id: TrainingRunId; modelId: ModelId; settings: HyperparameterSettings; device?: DeviceRequest },
): Promise<TrainingRunRow> {
  const { wish = 'AUTO', mayFallBack = true } = input.device ?? {};
  const models = await tx.client.model.count({ where: { tenantId: tx.tenantId, id: input.modelId } });
  if (models === 0) {
    throw new AppError('NOT_FOUND', `There is no model ${input.modelId}.`);
  }
  await allowTrainings(tx);
  const written = await tx.client.$executeRaw`
    INSERT INTO training_runs (tenant_id, id, model_id, settings, device_wish, device_fallback)
    VALUES (${tx.tenantId}::uuid, ${input.id}::uuid, ${input.modelId}::uuid,
            ${JSON.stringify(input.settings)}::jsonb, ${wish}::device_wish, ${mayFallBack})
    ON CONFLICT (tenant_id, model_id) WHERE status IN ('QUEUED', 'RUNNING') DO NOTHING`;
  if (written === 0) {
    throw new RunOpenError(input.modelId);
  }
  return getTrainingRun(tx, input.id);
}

/** The runs of `ids` that the tenant has, in no order. */
export async function findTrainingRuns(tx: TenantTx, ids: readonly TrainingRunId[]): Promise<TrainingRunRow[]> {
  const rows = await tx.client.trainingRun.findMany({ where: { tenantId: tx.tenantId, id: { in: [...ids] } } });
  return rows.map((row) => row as typeof row & TrainingRunRow);
}

/** At most `first` runs, of one model or of all, newest first, from after `afterId`. */
export async function listTrainingRuns(
  tx: TenantTx,
  page: { modelId?: ModelId | null | undefined; first: number; afterId?: TrainingRunId | null | undefined },
): Promise<TrainingRunRow[]> {
  const rows = await tx.client.trainingRun.findMany({
    where: {
      tenantId: tx.tenantId,
      ...(page.modelId ? { modelId: page.modelId } : {}),
      ...(page.afterId ? { id: { lt: page.afterId } } : {}),
    },
    orderBy: { id: 'desc' },
    take: page.first,
  });
  return rows.map((row) => row as typeof row & TrainingRunRow);
}

/** When the model's last training began that ended with a version; null when there is none. */
export async function findLastTrainingStart(tx: TenantTx, modelId: ModelId): Promise<Date | null> {
  const run = await tx.client.trainingRun.findFirst({
    where: { tenantId: tx.tenantId, modelId, status: 'SUCCEEDED' },
    orderBy: { id: 'desc' },
  });
  return run?.startedAt ?? null;
}

/**
 * QUEUED becomes RUNNING, worked on by this execution; any other status stays as it is.
 * @throws AppError NOT_FOUND when the tenant has no such run.
 */
export async function startTrainingRun(
  tx: TenantTx,
  runId: TrainingRunId,
  executionId: string | null = null,
): Promise<TrainingRunRow> {
  await tx.client.trainingRun.updateMany({
    where: { tenantId: tx.tenantId, id: runId, status: 'QUEUED' },
    data: { status: 'RUNNING', startedAt: new Date(), executionId },
  });
  return getTrainingRun(tx, runId);
}

/**
 * Notes the step under way; a run that has ended keeps its last one.
 * @throws AppError NOT_FOUND when the tenant has no such run.
 */
export async function setTrainingPhase(
  tx: TenantTx,
  input: { runId: TrainingRunId; phase: TrainingPhase },
): Promise<TrainingRunRow> {
  await tx.client.trainingRun.updateMany({
    where: { tenantId: tx.tenantId, id: input.runId, status: { in: ['QUEUED', 'RUNNING'] } },
    data: { phase: input.phase },
  });
  return getTrainingRun(tx, input.runId);
}

/**
 * Notes what became of an open run by a person's wish; a run that has ended stays as it is.
 * @throws AppError NOT_FOUND when the tenant has no such run.
 */
export async function steerTrainingRun(
  tx: TenantTx,
  { runId, change }: { runId: TrainingRunId; change: SteeringChange },
): Promise<TrainingRunRow> {
  const data = {
    PAUSED: { pausedAt: new Date() },
    RESUMED: { pausedAt: null },
    STOPPING: { pausedAt: null, stoppingAt: new Date() },
  }[change];
  await tx.client.trainingRun.updateMany({
    where: { tenantId: tx.tenantId, id: runId, status: { in: ['QUEUED', 'RUNNING'] } },
    data,
  });
  return getTrainingRun(tx, runId);
}

/**
 * Notes what an open run trains with; what is noted already stays, so that every attempt trains with the same.
 * @throws AppError NOT_FOUND when the tenant has no such run.
 */
export async function fixHyperparameters(
  tx: TenantTx,
  input: { runId: TrainingRunId; hyperparameters: Hyperparameters },
): Promise<Hyperparameters> {
  await tx.client.$executeRaw`
    UPDATE training_runs SET hyperparameters = ${JSON.stringify(input.hyperparameters)}::jsonb
     WHERE tenant_id = ${tx.tenantId}::uuid AND id = ${input.runId}::uuid
       AND status IN ('QUEUED', 'RUNNING') AND hyperparameters IS NULL`;
  const { hyperparameters } = await getTrainingRun(tx, input.runId);
  return hyperparameters ?? input.hyperparameters;
}

/**
 * Notes what computes an open run, the latest attempt's in place of the one before.
 * @throws AppError NOT_FOUND when the tenant has no such run.
 */
export async function setTrainingCompute(
  tx: TenantTx,
  input: { runId: TrainingRunId; compute: TrainingCompute },
): Promise<TrainingRunRow> {
  await tx.client.trainingRun.updateMany({
    where: { tenantId: tx.tenantId, id: input.runId, status: { in: ['QUEUED', 'RUNNING'] } },
    data: { compute: { ...input.compute } },
  });
  return getTrainingRun(tx, input.runId);
}

/**
 * Notes what an open run is to compute with, the latest choice in place of the one before.
 * @throws AppError NOT_FOUND when the tenant has no such run.
 */
export async function setTrainingDevice(
  tx: TenantTx,
  { runId, device, reason }: { runId: TrainingRunId } & ChosenDevice,
): Promise<TrainingRunRow> {
  await tx.client.trainingRun.updateMany({
    where: { tenantId: tx.tenantId, id: runId, status: { in: ['QUEUED', 'RUNNING'] } },
    data: { device, deviceReason: reason },
  });
  return getTrainingRun(tx, runId);
}

/**
 * Notes how the version of an open run was judged, the latest attempt's verdict in place of the one before.
 * @throws AppError NOT_FOUND when the tenant has no such run.
 */
export async function setQualityGate(
  tx: TenantTx,
  { runId, gate }: { runId: TrainingRunId; gate: QualityGate },
): Promise<TrainingRunRow> {
  const json = JSON.stringify(gate);
  await tx.client.$executeRaw`
    UPDATE training_runs SET quality_gate = ${json}::jsonb
     WHERE tenant_id = ${tx.tenantId}::uuid AND id = ${runId}::uuid AND status IN ('QUEUED', 'RUNNING')`;
  return getTrainingRun(tx, runId);
}

/**
 * Ends an open run; one that has ended keeps its first ending.
 * @throws AppError NOT_FOUND when the tenant has no such run.
 */
export async function finishTrainingRun(
  tx: TenantTx,
  input: {
    runId: TrainingRunId;
    status: Extract<TrainingRunStatus, 'SUCCEEDED' | 'FAILED' | 'CANCELLED'>;
    failure?: string | null | undefined;
  },
): Promise<TrainingRunRow> {
  const { count } = await tx.client.trainingRun.updateMany({
    where: { tenantId: tx.tenantId, id: input.runId, status: { in: ['QUEUED', 'RUNNING'] } },
    data: { status: input.status, failure: input.failure ?? null, finishedAt: new Date(), pausedAt: null },
  });
  const run = await getTrainingRun(tx, input.runId);
  if (count === 1) await tellWebhooks(tx, run, input.status);
  return run;
}

async function tellWebhooks(
  tx: TenantTx,
  { id, modelId, failure }: TrainingRunRow,
  status: 'SUCCEEDED' | 'FAILED' | 'CANCELLED',
): Promise<void> {
  const ended = { trainingRunId: encodeGlobalId('TrainingRun', id), modelId: encodeGlobalId('Model', modelId) };
  if (status === 'FAILED') await appendWebhookEvent(tx, 'training_run.failed', { ...ended, failure });
  else
    await appendWebhookEvent(tx, status === 'SUCCEEDED' ? 'training_run.succeeded' : 'training_run.cancelled', ended);
}

/** Adds to what computing a run took, in milliseconds of one core, whatever became of the run. */
export async function addTrainingCpu(tx: TenantTx, runId: TrainingRunId, cpuMs: number): Promise<void> {
  await tx.client.$executeRaw`
    UPDATE training_runs SET cpu_ms = cpu_ms + ${cpuMs}
     WHERE tenant_id = ${tx.tenantId}::uuid AND id = ${runId}::uuid`;
}

async function getTrainingRun(tx: TenantTx, id: TrainingRunId): Promise<TrainingRunRow> {
  const [run] = await findTrainingRuns(tx, [id]);
  if (run === undefined) {
    throw new AppError('NOT_FOUND', `There is no training run ${id}.`);
  }
  return run;
}
