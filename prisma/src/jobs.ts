import { AppError } from '@kindred/domain/app-error';
import type { ModelId, TenantId, UploadId } from '@kindred/domain/ids';
import type { JobEnding, JobEvent, JobEventBody, JobId, JobKind, JobStatus } from '@kindred/domain/jobs';
import type { TenantTx } from './tenants.ts';

/** Long work that the tenant asked for; `Order` is what was asked, `State` how far it has come. */
export interface JobRow<Order = unknown, State = unknown, Id extends JobId = JobId> {
  tenantId: TenantId;
  id: Id;
  kind: JobKind;
  modelId: ModelId | null;
  status: JobStatus;
  failure: string | null;
  order: Order;
  state: State;
  /** Counts the changes of `state`. */
  revision: number;
  lastSequence: number;
  createdAt: Date;
  startedAt: Date | null;
  finishedAt: Date | null;
}

/** What plans count and admit by, and nobody who works on a job reads. */
const OF_THE_PLAN = { cpuMs: true, admittedAt: true } as const;

/** The job has ended, or another attempt has changed its state meanwhile: what this one would write must not count. */
export class JobSupersededError extends Error {
  override readonly name = 'JobSupersededError';

  constructor(id: JobId, revision: number) {
    super(`The job ${id} has ended or is past revision ${revision}.`);
  }
}

/** Queues a job; false where the database allows no second one that is open. */
export async function createJob(
  tx: TenantTx,
  { id, kind, modelId = null, order }: { id: JobId; kind: JobKind; modelId?: ModelId | null; order: object },
): Promise<boolean> {
  const written = await tx.client.$executeRaw`
    INSERT INTO jobs (tenant_id, id, kind, model_id, job_order)
    VALUES (${tx.tenantId}::uuid, ${id}::uuid, ${kind}::job_kind, ${modelId}::uuid, ${JSON.stringify(order)}::jsonb)
    ON CONFLICT (tenant_id, model_id) WHERE kind = 'TUNING' AND status IN ('QUEUED', 'RUNNING') DO NOTHING`;
  return written === 1;
}

/** The jobs of `ids` and this kind that the tenant has, in no order. */
export async function findJobs(tx: TenantTx, kind: JobKind, ids: readonly JobId[]): Promise<JobRow[]> {
  const rows = await tx.client.job.findMany({
    where: { tenantId: tx.tenantId, kind, id: { in: [...ids] } },
    omit: OF_THE_PLAN,
  });
  return rows as JobRow[];
}

/** At most `first` jobs of a kind, of one model or of all, newest first, from after `afterId`. */
export async function listJobs(
  tx: TenantTx,
  page: { kind: JobKind; modelId?: ModelId | undefined; first: number; afterId: JobId | null },
): Promise<JobRow[]> {
  const { kind, modelId, first, afterId } = page;
  const rows = await tx.client.job.findMany({
    where: {
      tenantId: tx.tenantId,
      kind,
      ...(modelId ? { modelId } : {}),
      ...(afterId ? { id: { lt: afterId } } : {}),
    },
    orderBy: { id: 'desc' },
    take: first,
    omit: OF_THE_PLAN,
  });
  return rows as JobRow[];
}

/** The files that imports are still to read. */
export async function listUploadsInUse(tx: TenantTx): Promise<UploadId[]> {
  const rows = await tx.client.$queryRaw<{ uploadId: UploadId }[]>`
    SELECT job_order->>'uploadId' AS "uploadId" FROM jobs
     WHERE tenant_id = ${tx.tenantId}::uuid AND kind = 'IMPORT' AND status IN ('QUEUED', 'RUNNING')`;
  return rows.map(({ uploadId }) => uploadId);
}

/** QUEUED becomes RUNNING with this state; any other stays as it is. @throws AppError NOT_FOUND */
export async function startJob(tx: TenantTx, id: JobId, state: object): Promise<JobRow> {
  await tx.client.$executeRaw`
    UPDATE jobs SET status = 'RUNNING', started_at = now(), state = ${JSON.stringify(state)}::jsonb
     WHERE tenant_id = ${tx.tenantId}::uuid AND id = ${id}::uuid AND status = 'QUEUED'`;
  return getJob(tx, id);
}

/**
 * Writes how far a running job has come, if it still is at this revision: one of two attempts gets through, and the other
 * waits for it and then fails. The revision after it.
 * @throws JobSupersededError
 */
export async function advanceJob(
  tx: TenantTx,
  { id, revision, state }: { id: JobId; revision: number; state: object },
): Promise<number> {
  const written = await tx.client.$executeRaw`
    UPDATE jobs SET state = ${JSON.stringify(state)}::jsonb, revision = revision + 1
     WHERE tenant_id = ${tx.tenantId}::uuid AND id = ${id}::uuid AND status = 'RUNNING' AND revision = ${revision}`;
  if (written === 0) throw new JobSupersededError(id, revision);
  return revision + 1;
}

/** Writes the state of a job that has ended, for what people decide afterwards. */
export async function setEndedJobState(tx: TenantTx, { id, state }: { id: JobId; state: object }): Promise<void> {
  await tx.client.$executeRaw`
    UPDATE jobs SET state = ${JSON.stringify(state)}::jsonb
     WHERE tenant_id = ${tx.tenantId}::uuid AND id = ${id}::uuid AND finished_at IS NOT NULL`;
}

/** Adds to the time that the job's trials computed. */
export async function addJobCpu(tx: TenantTx, id: JobId, cpuMs: number): Promise<void> {
  await tx.client.$executeRaw`
    UPDATE jobs SET cpu_ms = cpu_ms + ${cpuMs} WHERE tenant_id = ${tx.tenantId}::uuid AND id = ${id}::uuid`;
}

/** Ends an open job; one that has ended keeps its first ending. Whether it ended here. */
export async function finishJob(
  tx: TenantTx,
  { id, status, failure }: { id: JobId; status: JobEnding; failure: string | null },
): Promise<boolean> {
  const { count } = await tx.client.job.updateMany({
    where: { tenantId: tx.tenantId, id, status: { in: ['QUEUED', 'RUNNING'] } },
    data: { status, failure, finishedAt: new Date() },
  });
  return count === 1;
}

/** Ends an open job that no workflow works on, with its last event: its watchers find it in the database. */
export async function cancelAbandonedJob(tx: TenantTx, id: JobId, message: string): Promise<void> {
  if (await finishJob(tx, { id, status: 'CANCELLED', failure: null })) {
    const body = { kind: 'FINISHED' as const, status: 'CANCELLED' as const, message };
    await appendJobEvent(tx, { jobId: id, dedupeKey: 'finished', at: Date.now(), body });
  }
}

/**
 * Stores a job's next event, `sequence` counting from 1 without gaps; null when one of this `dedupeKey` is there.
 * @param input.at epoch milliseconds.
 * @throws AppError NOT_FOUND when the tenant has no such job.
 * @throws JobSupersededError when a job has ended that is said to have come further: nothing follows its last event.
 */
export async function appendJobEvent(
  tx: TenantTx,
  input: { jobId: JobId; dedupeKey: string; at: number; body: JobEventBody },
): Promise<JobEvent | null> {
  const { jobId, dedupeKey, at, body } = input;
  // The row lock makes writers of one job take turns, so that each reads the number the one before it left.
  const [job] = await tx.client.$queryRaw<Pick<JobRow, 'lastSequence' | 'revision' | 'finishedAt'>[]>`
    SELECT last_sequence AS "lastSequence", revision, finished_at AS "finishedAt" FROM jobs
     WHERE tenant_id = ${tx.tenantId}::uuid AND id = ${jobId}::uuid FOR NO KEY UPDATE`;
  if (job === undefined) throw notFound(jobId);
  // It may have ended while this waited for its lock.
  if (job.finishedAt !== null && body.kind === 'PROGRESSED') throw new JobSupersededError(jobId, job.revision);
  const sequence = job.lastSequence + 1;
  const written = await tx.client.$executeRaw`
    WITH event AS (
      INSERT INTO job_events (tenant_id, job_id, sequence, dedupe_key, at, body)
      VALUES (${tx.tenantId}::uuid, ${jobId}::uuid, ${sequence}, ${dedupeKey}, ${new Date(at)}::timestamptz,
              ${JSON.stringify(body)}::jsonb)
      ON CONFLICT (tenant_id, job_id, dedupe_key) DO NOTHING RETURNING sequence
    )
    UPDATE jobs SET last_sequence = event.sequence FROM event
     WHERE tenant_id = ${tx.tenantId}::uuid AND id = ${jobId}::uuid`;
  return written === 0 ? null : { jobId, sequence, at, body };
}

/** At most `limit` events of a job in order, from after `afterSequence`. */
export async function listJobEvents(
  tx: TenantTx,
  { jobId, afterSequence, limit }: { jobId: JobId; afterSequence: number; limit: number },
): Promise<JobEvent[]> {
  const rows = await tx.client.jobEvent.findMany({
    where: { tenantId: tx.tenantId, jobId, sequence: { gt: afterSequence } },
    orderBy: { sequence: 'asc' },
    take: limit,
  });
  return rows.map(({ sequence, at, body }) => ({ jobId, sequence, at: at.getTime(), body: body as JobEventBody }));
}

async function getJob(tx: TenantTx, id: JobId): Promise<JobRow> {
  const row = await tx.client.job.findUnique({
    where: { tenantId_id: { tenantId: tx.tenantId, id } },
    omit: OF_THE_PLAN,
  });
  if (row === null) throw notFound(id);
  return row as JobRow;
}

function notFound(id: JobId): AppError {
  return new AppError('NOT_FOUND', `There is no job ${id}.`);
}
