import { findJobs, createJob, listJobEvents } from '@kindred/db/jobs';
import { listImportErrors } from '@kindred/db/import-errors';
import { withTenant } from '@kindred/db/tenants';
import { type ImportId, newId, type TenantId } from '@kindred/domain/ids';
import { type ImportOrder, uploadKey } from '@kindred/domain/imports';
import { IMPORT_DATA, type ImportDataInput, jobWorkflowId, TASK_QUEUES } from '../contract.ts';
import type { ImportRow } from '../load-import.ts';
import type { TrainingWorld } from './training-world.ts';

export type ImportFile = Omit<ImportOrder, 'uploadId'> & { content: string | Buffer };

/** A file that was uploaded, and its import as a row in QUEUED. */
export async function queueImport(
  { deps }: TrainingWorld,
  tenantId: TenantId,
  { content, ...order }: ImportFile,
): Promise<ImportDataInput> {
  const [jobId, uploadId] = [newId('Import'), newId('Upload')];
  await deps.objects.put(uploadKey(tenantId, uploadId), Buffer.from(content));
  await withTenant(deps.db, tenantId, (tx) =>
    createJob(tx, { id: jobId, kind: 'IMPORT', order: { ...order, uploadId } }),
  );
  return { tenantId, jobId };
}

export function startImport({ client }: TrainingWorld, input: ImportDataInput) {
  return client.workflow.start(IMPORT_DATA, {
    taskQueue: TASK_QUEUES.workflows,
    workflowId: jobWorkflowId(input),
    args: [input],
  });
}

/** The import's row, its events and its wrong rows, as this tenant sees them. */
export async function readImport({ deps }: TrainingWorld, tenantId: TenantId, importId: ImportId) {
  return withTenant(deps.db, tenantId, async (tx) => {
    const [row] = (await findJobs(tx, 'IMPORT', [importId])) as ImportRow[];
    const events = await listJobEvents(tx, { jobId: importId, afterSequence: 0, limit: 10_000 });
    const errors = await listImportErrors(tx, { importId, first: 10_000, afterNumber: 0 });
    return { row, events, errors };
  });
}

/** Runs a file through its import. */
export async function importFile(world: TrainingWorld, tenantId: TenantId, file: ImportFile) {
  const input = await queueImport(world, tenantId, file);
  const handle = await startImport(world, input);
  // How it ended stands in its row.
  await handle.result().catch(() => undefined);
  return readImport(world, tenantId, input.jobId);
}
