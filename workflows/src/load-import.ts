import { findJobs, type JobRow } from '@kindred/db/jobs';
import { type TenantTx, withTenant } from '@kindred/db/tenants';
import type { ImportId } from '@kindred/domain/ids';
import type { ImportOrder, ImportState } from '@kindred/domain/imports';
import type { Db } from '@kindred/db/client';
import { permanentFailure } from './failures.ts';
import type { JobRef } from './record-job.ts';

export type ImportRow = JobRow<ImportOrder, ImportState, ImportId>;

/** @throws JobClosed when the import has ended already, or is gone with its tenant. */
export async function loadImport(db: Db, { tenantId, jobId }: JobRef<ImportId>): Promise<ImportRow> {
  return withTenant(db, tenantId, (tx) => findOpenImport(tx, jobId));
}

async function findOpenImport(tx: TenantTx, id: ImportId): Promise<ImportRow> {
  const [job] = await findJobs(tx, 'IMPORT', [id]);
  if (job === undefined || job.finishedAt !== null) {
    throw permanentFailure('JobClosed', `The import ${id} had ended before its work was done.`);
  }
  return job as ImportRow;
}
