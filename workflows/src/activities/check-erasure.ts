import { type ErasureRow, getErasure } from '@kindred/db/erasures';
import { withTenant } from '@kindred/db/tenants';
import { countUserRows } from '@kindred/db/user-data';
import { jobFolder } from '@kindred/domain/jobs';
import type { ErasureCheck, ErasureRef, ErasureStore } from '@kindred/domain/user-events';
import { countHistoriesOf } from '@kindred/service/erased-histories';
import { askServing } from '../ask-serving.ts';
import { findFilesHolding } from '../erased-files.ts';
import { withHeartbeat } from '../heartbeat.ts';
import { findUploadsNaming } from '../uploads-naming.ts';
import type { ActivityDeps } from './create-activities.ts';

const STORE_BY_FOLDER: Record<string, ErasureStore> = {
  versions: 'MODEL_VERSION',
  runs: 'RUN_FILES',
  exports: 'EXPORT_FILES',
  jobs: 'JOB_FILES',
};

/** Looks into every store for the user of an erasure: rows, keys, every byte of the tenant's files, every replica. */
export async function checkErasure(deps: ActivityDeps, { tenantId, erasureId }: ErasureRef): Promise<ErasureCheck[]> {
  const erasure = await withTenant(deps.db, tenantId, (tx) => getErasure(tx, erasureId));
  return withHeartbeat(() => inspectStores(deps, erasure));
}

async function inspectStores(deps: ActivityDeps, erasure: ErasureRow): Promise<ErasureCheck[]> {
  const { tenantId, userId, leftovers } = erasure;
  const uploads = await inspectUploads(deps, erasure);
  if (userId === null) {
    // There never was anything but what Redis may have held of the id, and files that nobody imported.
    return uploads;
  }
  const user = { tenantId, userId };
  const rows = await withTenant(deps.db, tenantId, (tx) => countUserRows(tx, userId));
  // Files of batches name users by ids of the tenant that are not known here any more: none of those may be left.
  const files = new Set(await findFilesHolding(deps.objects, user));
  for (const jobId of leftovers?.jobIds ?? []) {
    for (const key of await deps.objects.list(jobFolder({ tenantId, jobId }))) files.add(key);
  }
  const replies = await askServing(deps.events, { ...user, userExternalId: null, forget: false });
  const filesOf = (folder: string) => [...files].filter((key) => key.split('/')[2] === folder);
  return [
    ...rows.map(({ table, count }) => ({ store: 'POSTGRES' as const, scope: table, heldCount: count })),
    { store: 'REDIS', scope: 'histories', heldCount: await countHistoriesOf(deps.redis, user) },
    ...Object.entries(STORE_BY_FOLDER).map(([scope, store]) => ({ store, scope, heldCount: filesOf(scope).length })),
    ...uploads,
    ...replies.map(({ replica, heldCount }) => ({ store: 'SERVING_MEMORY' as const, scope: replica, heldCount })),
  ];
}

/** Uploads name users by the tenant's own id, which is forgotten with the seal. */
async function inspectUploads(deps: ActivityDeps, { tenantId, externalId }: ErasureRow): Promise<ErasureCheck[]> {
  if (externalId === null) return [];
  const naming = await findUploadsNaming(deps, { tenantId, externalId });
  return [{ store: 'UPLOAD_FILES', scope: 'uploads', heldCount: naming.length }];
}
