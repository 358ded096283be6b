import type { ImportId } from '@kindred/domain/ids';
import type { ImportRowError } from '@kindred/domain/imports';
import type { TenantTx } from './tenants.ts';

/** A wrong row with its place among the wrong rows of its import, from 1. */
export interface ImportErrorRow extends ImportRowError {
  number: number;
}

/** Adds wrong rows in the order of the file, behind the `knownCount` that are there. */
export async function addImportErrors(
  tx: TenantTx,
  importId: ImportId,
  { knownCount, errors }: { knownCount: number; errors: readonly ImportRowError[] },
): Promise<void> {
  if (errors.length === 0) return;
  const json = JSON.stringify(errors.map((error, index) => ({ ...error, number: knownCount + index + 1 })));
  await tx.client.$executeRaw`
    INSERT INTO import_errors (tenant_id, import_id, number, line, field, message)
    SELECT ${tx.tenantId}::uuid, ${importId}::uuid, r.number, r.line, r.field, r.message
      FROM jsonb_to_recordset(${json}::jsonb) AS r (number int, line int, field text, message text)`;
}

/** At most `first` wrong rows in the order of the file, from after the one of this number. */
export async function listImportErrors(
  tx: TenantTx,
  { importId, first, afterNumber }: { importId: ImportId; first: number; afterNumber: number },
): Promise<ImportErrorRow[]> {
  return tx.client.importError.findMany({
    where: { tenantId: tx.tenantId, importId, number: { gt: afterNumber } },
    orderBy: { number: 'asc' },
    take: first,
    select: { number: true, line: true, field: true, message: true },
  });
}
