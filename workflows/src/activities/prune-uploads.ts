import { listUploadsInUse } from '@kindred/db/jobs';
import { withTenant } from '@kindred/db/tenants';
import { MAX_UPLOAD_AGE_MS, readUploadKey, uploadedAtMs, uploadKey } from '@kindred/domain/imports';
import { withHeartbeat } from '../heartbeat.ts';
import type { ActivityDeps } from './create-activities.ts';

/**
 * Deletes the files, of every tenant, that were uploaded long ago and that no import is to read. How many.
 * The object store knows of them, and nothing else does: one listing of all its keys a night.
 */
export async function pruneUploads({ db, objects }: Pick<ActivityDeps, 'db' | 'objects'>): Promise<number> {
  const before = Date.now() - MAX_UPLOAD_AGE_MS;
  return withHeartbeat(async (signal) => {
    const known = (await objects.list('tenants')).map(readUploadKey).filter((upload) => upload !== null);
    const stale = known.filter(({ uploadId }) => uploadedAtMs(uploadId) < before);
    let deletedCount = 0;
    for (const [tenantId, uploads] of Map.groupBy(stale, (upload) => upload.tenantId)) {
      const inUse = new Set(await withTenant(db, tenantId, listUploadsInUse));
      for (const { uploadId } of uploads.filter((upload) => !inUse.has(upload.uploadId))) {
        signal.throwIfAborted();
        await objects.delete(uploadKey(tenantId, uploadId));
        deletedCount += 1;
      }
    }
    return deletedCount;
  });
}
