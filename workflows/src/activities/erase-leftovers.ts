import { createHash } from 'node:crypto';
import { appendReceiptLine } from '@kindred/db/erasure-receipts';
import { type ErasureRow, getErasure } from '@kindred/db/erasures';
import { findModelVersions } from '@kindred/db/model-versions';
import { withTenant } from '@kindred/db/tenants';
import { findTrainingRuns } from '@kindred/db/training-runs';
import type { ModelVersionId, TrainingRunId } from '@kindred/domain/ids';
import { uploadKey } from '@kindred/domain/imports';
import { jobFolder } from '@kindred/domain/jobs';
import { type ErasureRef, type ErasureStore, userExportFolder } from '@kindred/domain/user-events';
import { decodeVersionManifest, versionFolder } from '@kindred/domain/version-manifest';
import { findFilesHolding } from '../erased-files.ts';
import { withHeartbeat } from '../heartbeat.ts';
import { runFolder } from '../run-files.ts';
import { findUploadsNaming } from '../uploads-naming.ts';
import type { ActivityDeps } from './create-activities.ts';

/** Deletes snapshots, checkpoints and models of fenced trainings, copies of the user's data, uploads that name the user, and what was left half-made. */
export async function eraseLeftovers(deps: ActivityDeps, { tenantId, erasureId }: ErasureRef): Promise<void> {
  const erasure = await withTenant(deps.db, tenantId, (tx) => getErasure(tx, erasureId));
  const { runs, exportIds, jobIds } = erasure.leftovers ?? { runs: [], exportIds: [], jobIds: [] };
  for (const { runId } of runs) {
    await eraseFolder(deps, erasure, { store: 'RUN_FILES', scope: runId, folder: runFolder({ tenantId, runId }) });
  }
  for (const exportId of exportIds) {
    const folder = userExportFolder(tenantId, exportId);
    await eraseFolder(deps, erasure, { store: 'EXPORT_FILES', scope: exportId, folder });
  }
  for (const jobId of jobIds) {
    await eraseFolder(deps, erasure, { store: 'JOB_FILES', scope: jobId, folder: jobFolder({ tenantId, jobId }) });
  }
  await withHeartbeat(async () => {
    await eraseUploads(deps, erasure);
    await eraseStrays(deps, erasure);
  });
}

type FileStore = Extract<ErasureStore, 'RUN_FILES' | 'EXPORT_FILES' | 'JOB_FILES' | 'UPLOAD_FILES'>;

async function eraseFolder(
  deps: ActivityDeps,
  erasure: ErasureRow,
  { store, scope, folder }: { store: FileStore; scope: string; folder: string },
): Promise<void> {
  const keys = await deps.objects.list(folder);
  await deps.objects.delete(folder);
  await noteErased(deps, erasure, { store, scope, keys });
}

async function noteErased(
  { db }: ActivityDeps,
  { tenantId, id }: ErasureRow,
  { store, scope, keys }: { store: FileStore; scope: string; keys: readonly string[] },
): Promise<void> {
  const evidence = createHash('sha256').update(keys.join('\n')).digest();
  await withTenant(db, tenantId, (tx) => appendReceiptLine(tx, id, { store, scope, rowCount: keys.length, evidence }));
}

/** A file that an import is still to read stays until that has ended, which deletes it; the receipt is not sealed before. */
async function eraseUploads(deps: ActivityDeps, erasure: ErasureRow): Promise<void> {
  const { tenantId, externalId } = erasure;
  const naming = externalId === null ? [] : await findUploadsNaming(deps, { tenantId, externalId });
  for (const { uploadId } of naming.filter(({ isInUse }) => !isInUse)) {
    const key = uploadKey(tenantId, uploadId);
    await deps.objects.delete(key);
    await noteErased(deps, erasure, { store: 'UPLOAD_FILES', scope: uploadId, keys: [key] });
  }
}

/** Files that hold the user and that nothing names any more: an attempt that was given up may have written them late. */
async function eraseStrays(deps: ActivityDeps, { tenantId, userId }: ErasureRow): Promise<void> {
  const keys = userId === null ? [] : await findFilesHolding(deps.objects, { tenantId, userId });
  for (const key of keys) {
    const [, , kind, id = ''] = key.split('/');
    if (kind === 'runs' && (await isRunOver(deps, { tenantId, runId: id as TrainingRunId }))) {
      await deps.objects.delete(runFolder({ tenantId, runId: id as TrainingRunId }));
    }
    if (kind === 'versions' && !(await isNamed(deps, { tenantId, versionId: id as ModelVersionId, key }))) {
      await deps.objects.delete(key);
    }
  }
}

async function isRunOver(
  { db }: ActivityDeps,
  { tenantId, runId }: Pick<ErasureRow, 'tenantId'> & { runId: TrainingRunId },
): Promise<boolean> {
  const [run] = await withTenant(db, tenantId, (tx) => findTrainingRuns(tx, [runId]));
  return run === undefined || run.finishedAt !== null;
}

/** Whether the version's row leads to the file; a version that is being built may be about to. */
async function isNamed(
  { db, objects }: ActivityDeps,
  { tenantId, versionId, key }: Pick<ErasureRow, 'tenantId'> & { versionId: ModelVersionId; key: string },
): Promise<boolean> {
  const [version] = await withTenant(db, tenantId, (tx) => findModelVersions(tx, [versionId]));
  if (version === undefined) {
    return false;
  }
  if (version.status === 'BUILDING' || !key.startsWith(versionFolder(tenantId, versionId))) {
    return true;
  }
  const { artefact, index } = decodeVersionManifest(await objects.get(version.artefactKey), { tenantId, versionId });
  return [version.artefactKey, artefact.key, index?.key].includes(key);
}
