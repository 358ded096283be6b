import { listUploadsInUse } from '@kindred/db/jobs';
import { withTenant } from '@kindred/db/tenants';
import type { TenantId, UploadId } from '@kindred/domain/ids';
import { readUploadKey, uploadKey, uploadsFolder } from '@kindred/domain/imports';
import { ObjectNotFoundError } from '@kindred/service/object-key';
import type { ObjectStore } from '@kindred/service/object-store';
import { ApplicationFailure } from '@temporalio/common';
import type { ActivityDeps } from './activities/create-activities.ts';
import { holdsOneOf } from './erased-files.ts';
import { readBatches, readLayout, type FileRow, type RowLayout } from './import/read-rows.ts';

const BATCH_ROWS = 5_000;

/** An uploaded file that names a user, by the tenant's own id. */
export interface UploadNaming {
  uploadId: UploadId;
  /** Whether an import is still to read it. */
  isInUse: boolean;
}

/** The tenant's uploads that name this user; every row of all is read. */
export async function findUploadsNaming(
  { db, objects }: Pick<ActivityDeps, 'db' | 'objects'>,
  { tenantId, externalId }: { tenantId: TenantId; externalId: string },
): Promise<UploadNaming[]> {
  const naming: UploadNaming[] = [];
  const inUse = await withTenant(db, tenantId, listUploadsInUse);
  for (const key of await objects.list(uploadsFolder(tenantId))) {
    const uploadId = readUploadKey(key)?.uploadId;
    if (uploadId === undefined || !(await namesUser(objects, uploadKey(tenantId, uploadId), externalId))) continue;
    naming.push({ uploadId, isInUse: inUse.includes(uploadId) });
  }
  return naming;
}

/**
 * What an import would take the user's id from decides: elsewhere "7" is found in almost any file. Where some of a file
 * cannot be read so, its bytes do.
 */
async function namesUser(objects: ObjectStore, key: string, externalId: string): Promise<boolean> {
  try {
    const found = await findInRows(await objects.materialize(key), externalId);
    if (found !== 'unreadable') return found;
  } catch (error) {
    if (error instanceof ObjectNotFoundError) return false;
    throw error;
  } finally {
    await objects.evict(key);
  }
  const written = [externalId, JSON.stringify(externalId).slice(1, -1), externalId.replaceAll('"', '""')];
  return holdsOneOf(
    objects,
    key,
    written.map((text) => Buffer.from(text)),
  );
}

async function findInRows(path: string, externalId: string): Promise<boolean | 'unreadable'> {
  const layout = await guessLayout(path);
  if (layout === null) return 'unreadable';
  let isReadable = true;
  for await (const { rows } of readBatches(path, { ...layout, batchRows: BATCH_ROWS })) {
    for (const row of rows) {
      const user = readUser(row);
      if (user === externalId) return true;
      isReadable &&= user !== undefined;
    }
  }
  return isReadable ? false : 'unreadable';
}

/** Nobody has said yet what the file is: a header that imports know makes it CSV. */
async function guessLayout(path: string): Promise<RowLayout | null> {
  for (const kind of ['INTERACTIONS', 'ITEMS'] as const) {
    try {
      return await readLayout(path, { kind, format: 'CSV' });
    } catch (error) {
      if (!(error instanceof ApplicationFailure)) throw error;
    }
  }
  try {
    return await readLayout(path, { kind: 'INTERACTIONS', format: 'JSONL' });
  } catch (error) {
    if (!(error instanceof ApplicationFailure)) throw error;
    return null;
  }
}

/** The user that a row is about; null for a row about an item, undefined for one that imports would not know. */
function readUser({ content }: FileRow): string | null | undefined {
  if ('problem' in content) return undefined;
  const { userExternalId, externalId } = content.fields;
  if (typeof userExternalId === 'string') return userExternalId;
  return userExternalId === undefined && typeof externalId === 'string' ? null : undefined;
}
