import type { RunRef } from './record-event.ts';

/** The folder of everything that a run needs only while it is under way. */
export function runFolder({ tenantId, runId }: RunRef): string {
  return `tenants/${tenantId}/runs/${runId}`;
}

/** A snapshot is named by its content: an attempt that was given up cannot change what a later one wrote. */
export function snapshotKey(run: RunRef, sha256: string): string {
  return `${runFolder(run)}/snapshots/${sha256}`;
}

/** The training as it stood after an epoch, named by its content as a snapshot is. */
export function checkpointKey(run: RunRef, { epoch, sha256 }: { epoch: number; sha256: string }): string {
  return `${runFolder(run)}/checkpoints/${String(epoch).padStart(6, '0')}-${sha256}`;
}

/** A fitted model, named by its content as a snapshot is; what becomes a version is copied into the version's folder. */
export function artefactKey(run: RunRef, sha256: string): string {
  return `${runFolder(run)}/artefacts/${sha256}`;
}
