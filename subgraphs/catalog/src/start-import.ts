import { withIdempotencyKey } from '@kindred/db/idempotency';
import { cancelAbandonedJob, createJob } from '@kindred/db/jobs';
import { type TenantTx, withTenant } from '@kindred/db/tenants';
import { decodeGlobalId, type ImportId, newId } from '@kindred/domain/ids';
import { type ImportOrder, uploadKey } from '@kindred/domain/imports';
import { requireTenant } from '@kindred/service/guards';
import type { CatalogContext } from './context.ts';
import type { CancelImportInput, StartImportInput, UserError } from './generated/resolvers.ts';
import type { ImportRow } from './imports.ts';

interface Payload {
  import: ImportRow | null;
  userErrors: UserError[];
}

/** Queues an import of a file that the tenant uploaded, and starts its workflow. */
export async function startImport(context: CatalogContext, input: StartImportInput): Promise<Payload> {
  const { db, viewer, loaders, objects, importWorkflows } = context;
  const tenantId = requireTenant(viewer);
  const { idempotencyKey: key, uploadId: globalUploadId, ...rest } = input;
  const order: ImportOrder = { ...rest, uploadId: decodeGlobalId('Upload', globalUploadId) };
  // A repeated call finds its file imported, and deleted.
  const isThere = await objects.exists(uploadKey(tenantId, order.uploadId));
  const queue = async (tx: TenantTx): Promise<{ importId: ImportId | null }> => {
    if (!isThere) return { importId: null };
    const id = newId('Import');
    await createJob(tx, { id, kind: 'IMPORT', order });
    return { importId: id };
  };
  const { importId } = await withTenant(db, tenantId, (tx) =>
    key == null
      ? queue(tx)
      : withIdempotencyKey(tx, { operation: 'startImport', key, request: order }, () => queue(tx)),
  );
  if (importId === null) {
    const message = `There is no upload ${globalUploadId}: it was imported already, deleted since, or never sent.`;
    return { import: null, userErrors: [{ code: 'NOT_FOUND', message, path: ['uploadId'] }] };
  }
  await importWorkflows.start({ tenantId, jobId: importId });
  return { import: await loaders.imports.load(importId), userErrors: [] };
}

/** Ends an open import; one that no workflow works on is ended here. */
export async function cancelImport(context: CatalogContext, input: CancelImportInput): Promise<Payload> {
  const { db, viewer, loaders, importWorkflows } = context;
  const tenantId = requireTenant(viewer);
  const { idempotencyKey: key, importId: globalId } = input;
  const importId = decodeGlobalId('Import', globalId);
  const found = await loaders.imports.load(importId);
  const decide = async (): Promise<UserError[]> => refuseCancel(found, globalId);
  const userErrors = await withTenant(db, tenantId, (tx) =>
    key == null ? decide() : withIdempotencyKey(tx, { operation: 'cancelImport', key, request: { importId } }, decide),
  );
  if (found === null || userErrors.length > 0) return { import: found, userErrors };
  const outcome = await importWorkflows.cancel({ tenantId, jobId: importId });
  if (outcome === 'gone')
    await withTenant(db, tenantId, (tx) => cancelAbandonedJob(tx, importId, 'The import was cancelled.'));
  return { import: await loaders.imports.clear(importId).load(importId), userErrors: [] };
}

function refuseCancel(found: ImportRow | null, globalId: string): UserError[] {
  if (found === null) {
    return [{ code: 'NOT_FOUND', message: `There is no import ${globalId}.`, path: ['importId'] }];
  }
  if (found.finishedAt === null) return [];
  return [{ code: 'CONFLICT', message: `The import has ended already, as ${found.status}.`, path: ['importId'] }];
}
