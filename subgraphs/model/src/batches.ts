import { type JobRow, listJobs } from '@kindred/db/jobs';
import type { ModelRow } from '@kindred/db/models';
import { withTenant } from '@kindred/db/tenants';
import { AppError } from '@kindred/domain/app-error';
import type { BatchRecommendationOrder, BatchRecommendationState } from '@kindred/domain/batch-recommendations';
import { checkPageSize, decodeCursor } from '@kindred/domain/cursor';
import { type BatchRecommendationId, decodeGlobalId, encodeGlobalId } from '@kindred/domain/ids';
import type { JobEvent } from '@kindred/domain/jobs';
import { type Connection, toConnection } from '@kindred/service/connection';
import type { ModelContext } from './context.ts';
import { followJob } from './follow-job.ts';

/** A batch; nothing of its state is there before it starts. */
export type BatchRow = JobRow<BatchRecommendationOrder, Partial<BatchRecommendationState>, BatchRecommendationId>;

/** A page of a model's batches, newest first. @throws AppError BAD_USER_INPUT for a page that cannot be. */
export async function listBatches(
  { db }: ModelContext,
  { id: modelId, tenantId }: ModelRow,
  args: { first: number; after?: string | null | undefined },
): Promise<Connection<BatchRow>> {
  const first = checkPageSize(args.first);
  const afterId = args.after == null ? null : decodeGlobalId('BatchRecommendation', decodeCursor(args.after));
  const page = { kind: 'BATCH_RECOMMENDATION' as const, modelId, first: first + 1, afterId };
  const rows = await withTenant(db, tenantId, (tx) => listJobs(tx, page));
  return toConnection(rows as BatchRow[], args, ({ id }) => encodeGlobalId('BatchRecommendation', id));
}

/** The file of a batch; null while there is none, and once it is deleted. */
export function fileOf({ id, status, state }: BatchRow) {
  const { sizeBytes, expiresAtMs, deletedAtMs } = state;
  if (status !== 'SUCCEEDED' || sizeBytes == null || expiresAtMs == null || deletedAtMs != null) return null;
  const path = `/files/model/batch-recommendations/${encodeGlobalId('BatchRecommendation', id)}`;
  return { path, sizeBytes, expiresAt: new Date(expiresAtMs) };
}

/** A batch's events from after `afterSequence` on. @throws AppError NOT_FOUND when the tenant has no such batch. */
export async function subscribeToBatch(
  context: ModelContext,
  args: { batchRecommendationId: string; afterSequence?: number | null | undefined },
): Promise<AsyncIterable<{ batchRecommendationProgress: JobEvent }>> {
  const { batchRecommendationId: id, afterSequence } = args;
  const job = await context.loaders.batches.load(decodeGlobalId('BatchRecommendation', id));
  if (job === null) throw new AppError('NOT_FOUND', `There is no batch ${id}.`);
  return followJob(context, { job, afterSequence, show: (event) => ({ batchRecommendationProgress: event }) });
}
