import { decodeArtefact } from '@kindred/core/artefact';
import { buildExactIndex } from '@kindred/core/exact-index';
import { mapFile } from '@kindred/core/map-file';
import { JobSupersededError, startJob } from '@kindred/db/jobs';
import { findModelVersions } from '@kindred/db/model-versions';
import { withTenant } from '@kindred/db/tenants';
import type { BatchRecommendationState } from '@kindred/domain/batch-recommendations';
import type { BatchRecommendationId } from '@kindred/domain/ids';
import { decodeVersionManifest } from '@kindred/domain/version-manifest';
import { joinParts, writeParts } from '../batch/write-parts.ts';
import { permanentFailure } from '../failures.ts';
import { withHeartbeat } from '../heartbeat.ts';
import { type BatchRow, loadBatch } from '../load-batch.ts';
import { type JobRef, recordJobChange } from '../record-job.ts';
import type { ActivityDeps } from './create-activities.ts';

/** Recommends to every user of the batch, from where the attempt before this one stopped, and makes the file whole. */
export async function recommendBatch(deps: ActivityDeps, input: JobRef<BatchRecommendationId>): Promise<void> {
  const job = await loadBatch(deps.db, input);
  await withHeartbeat(async (signal) => {
    const artefact = await loadArtefact(deps, job);
    const started = await start(deps, job, artefact.userIds.length);
    const index = await buildExactIndex(artefact.items, artefact.dimension);
    try {
      await writeParts(deps, { job: started, artefact, index, signal });
      await joinParts(deps, input);
    } catch (error) {
      throw error instanceof JobSupersededError ? permanentFailure('JobClosed', error.message) : error;
    } finally {
      index.close();
    }
  });
}

async function loadArtefact({ db, objects }: ActivityDeps, { tenantId, order: { versionId } }: BatchRow) {
  const [version] = await withTenant(db, tenantId, (tx) => findModelVersions(tx, [versionId]));
  if (version === undefined) throw permanentFailure('JobClosed', 'The model version does not exist any more.');
  const manifest = decodeVersionManifest(await objects.get(version.artefactKey), { tenantId, versionId });
  return decodeArtefact(await mapFile(await objects.materialize(manifest.artefact.key)));
}

/** QUEUED becomes RUNNING; a batch that runs goes on. */
async function start(deps: ActivityDeps, job: BatchRow, knownCount: number): Promise<BatchRow> {
  if (job.status === 'RUNNING') return job;
  const state: BatchRecommendationState = {
    userCount: job.order.userIds?.length ?? knownCount,
    doneCount: 0,
    skippedCount: 0,
    partCount: 0,
    sizeBytes: null,
    expiresAtMs: null,
    deletedAtMs: null,
  };
  const ref = { tenantId: job.tenantId, jobId: job.id };
  return recordJobChange(deps, ref, async (tx) => {
    const started = (await startJob(tx, job.id, state)) as BatchRow;
    const message = `Recommending to ${state.userCount.toLocaleString('en')} users.`;
    const body = { kind: 'PROGRESSED' as const, message, details: { ...state } };
    return { result: started, event: { dedupeKey: 'begun', body } };
  });
}
