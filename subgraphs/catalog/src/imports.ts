import { listImportErrors, type ImportErrorRow } from '@kindred/db/import-errors';
import { type JobRow, listJobEvents, listJobs } from '@kindred/db/jobs';
import { withTenant } from '@kindred/db/tenants';
import { AppError } from '@kindred/domain/app-error';
import { checkPageSize, decodeCursor } from '@kindred/domain/cursor';
import { decodeGlobalId, encodeGlobalId, type ImportId } from '@kindred/domain/ids';
import type { ImportOrder, ImportState } from '@kindred/domain/imports';
import type { JobEvent } from '@kindred/domain/jobs';
import { type Connection, toConnection } from '@kindred/service/connection';
import { requireTenant } from '@kindred/service/guards';
import { EVENTS_PER_READ, subscribeToJob } from '@kindred/service/job-progress';
import type { CatalogContext } from './context.ts';

/** An import; nothing of its state is there before it starts. */
export type ImportRow = JobRow<ImportOrder, Partial<ImportState>, ImportId>;

interface PageArgs {
  first: number;
  after?: string | null | undefined;
}

/** A page of the tenant's imports, newest first. @throws AppError BAD_USER_INPUT for a page that cannot be. */
export async function listImports({ db, viewer }: CatalogContext, args: PageArgs): Promise<Connection<ImportRow>> {
  const first = checkPageSize(args.first);
  const afterId = args.after == null ? null : decodeGlobalId('Import', decodeCursor(args.after));
  const rows = await withTenant(db, requireTenant(viewer), (tx) =>
    listJobs(tx, { kind: 'IMPORT', first: first + 1, afterId }),
  );
  return toConnection(rows as ImportRow[], args, (row) => encodeGlobalId('Import', row.id));
}

/** A page of an import's wrong rows. @throws AppError BAD_USER_INPUT for a page that cannot be. */
export async function listErrors(
  { db }: CatalogContext,
  { id: importId, tenantId }: ImportRow,
  args: PageArgs,
): Promise<Connection<ImportErrorRow>> {
  const first = checkPageSize(args.first);
  const afterNumber = args.after == null ? 0 : readNumber(decodeCursor(args.after));
  const rows = await withTenant(db, tenantId, (tx) =>
    listImportErrors(tx, { importId, first: first + 1, afterNumber }),
  );
  return toConnection(rows, args, ({ number }) => String(number));
}

function readNumber(position: string): number {
  if (/^\d{1,9}$/.test(position)) return Number(position);
  throw new AppError('BAD_USER_INPUT', `"${position}" is not the position of a wrong row.`);
}

/** An import's events from after `afterSequence` on. @throws AppError NOT_FOUND when the tenant has no such import. */
export async function subscribeToImport(
  context: CatalogContext,
  { importId, afterSequence }: { importId: string; afterSequence?: number | null | undefined },
): Promise<AsyncIterable<{ importProgress: JobEvent }>> {
  const { db, viewer, loaders, events, request } = context;
  const tenantId = requireTenant(viewer);
  const jobId = decodeGlobalId('Import', importId);
  const job = await loaders.imports.load(jobId);
  if (job === null) throw new AppError('NOT_FOUND', `There is no import ${importId}.`);
  const readAfter = (sequence: number) =>
    withTenant(db, tenantId, (tx) => listJobEvents(tx, { jobId, afterSequence: sequence, limit: EVENTS_PER_READ }));
  const show = (event: JobEvent) => {
    // What an earlier event of the same subscription saw is past.
    loaders.imports.clear(jobId);
    return { importProgress: event };
  };
  return subscribeToJob(
    { key: { tenantId, jobId }, job, events, readAfter, signal: request.signal, show },
    afterSequence,
  );
}
