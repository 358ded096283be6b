import type { ModelVersionId, TenantId } from '@kindred/domain/ids';
import type { RunRef } from './record-event.ts';

/** The folder of everything that a run needs only while it is under way. */
export function runFolder({ tenantId, runId }: RunRef): string {
  return `tenants/${tenantId}/runs/${runId}/`;
}

/** A snapshot is named by its content: an attempt that was given up cannot change what a later one wrote. */
export function snapshotKey(run: RunRef, hash: string): string {
  return `${runFolder(run)}snapshots/${hash}`;
}

/** The folder of the state after an epoch. */
export function checkpointFolder(run: RunRef, epoch: number): string {
  return `${runFolder(run)}checkpoints/${String(epoch).padStart(6, '0')}/`;
}

/** Names the newest complete checkpoint: a small file that is replaced whole. */
export function latestCheckpointKey(run: RunRef): string {
  return `${runFolder(run)}checkpoints/latest.json`;
}

/** The embeddings after the best epoch so far. */
export function bestEmbeddingsKey(run: RunRef, epoch: number): string {
  return `${runFolder(run)}embeddings/${String(epoch).padStart(6, '0')}`;
}

/** The folder of a version: its artefact, its index, and the manifest that makes them one. */
export function versionFolder(tenantId: TenantId, versionId: ModelVersionId): string {
  return `tenants/${tenantId}/versions/${versionId}/`;
}
