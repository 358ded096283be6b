import { appendAuditEvent } from '@kindred/db/audit-log';
import { withIdempotencyKey } from '@kindred/db/idempotency';
import { withTenant } from '@kindred/db/tenants';
import { createUserExport, findUserExport, type UserExportRow } from '@kindred/db/user-exports';
import { findUserByExternalId } from '@kindred/db/users';
import { encodeGlobalId, newId, type UserExportId } from '@kindred/domain/ids';
import { requireTenant } from '@kindred/service/guards';
import { actorOf } from './audit.ts';
import { checkExternalId } from './check-external-id.ts';
import { checkOptionalText } from './check-text.ts';
import { checkNumber } from './check-number.ts';
import type { TenantContext } from './context.ts';
import { subjectOf } from './erasure-subject.ts';
import { signExportLink } from './export-link.ts';
import type { ExportUserDataInput, UserError, UserExportStatus } from './generated/resolvers.ts';
import { userError } from './user-error.ts';

/** Starts to gather a copy of a user's data; a repeat finds the first one. */
export async function exportUserData(
  context: TenantContext,
  input: ExportUserDataInput,
): Promise<{ export: UserExportRow | null; userErrors: UserError[] }> {
  const { externalId, validMinutes, idempotencyKey } = input;
  const userErrors = [
    ...checkExternalId(externalId),
    ...checkNumber(validMinutes, { field: 'validMinutes', min: 5, max: 10_080 }),
    ...checkOptionalText(idempotencyKey, { field: 'idempotencyKey', maxChars: 200 }),
  ];
  if (userErrors.length > 0) return { export: null, userErrors };
  const tenantId = requireTenant(context.viewer);
  const subject = subjectOf(context.apiKeyPepper, tenantId, externalId).toString('hex');
  const exportId = await withTenant(context.db, tenantId, async (tx) => {
    const insert = async (): Promise<UserExportId | null> => {
      const user = await findUserByExternalId(tx, externalId);
      if (user === null) return null;
      const id = newId('UserExport');
      await createUserExport(tx, { id, userId: user.id, validMinutes });
      const details = { exportId: encodeGlobalId('UserExport', id), subject };
      await appendAuditEvent(tx, { actor: actorOf(context.viewer), action: 'exportUserData', details });
      return id;
    };
    const once = { operation: 'exportUserData', key: idempotencyKey ?? '', request: { subject, validMinutes } };
    return typeof idempotencyKey === 'string' ? await withIdempotencyKey(tx, once, insert) : await insert();
  });
  if (exportId === null) {
    const message = 'externalId must be that of a user of this tenant.';
    return { export: null, userErrors: [userError('NOT_FOUND', message, ['externalId'])] };
  }
  await context.privacy.startExport({ tenantId, exportId });
  return { export: await findExport(context, exportId), userErrors };
}

/** The export of this id, or null. */
export async function findExport({ db, viewer }: TenantContext, id: UserExportId): Promise<UserExportRow | null> {
  return withTenant(db, requireTenant(viewer), (tx) => findUserExport(tx, id));
}

export function exportStatusOf({ finishedAt, archiveKey, expiresAt }: UserExportRow): UserExportStatus {
  if (finishedAt === null) return 'RUNNING';
  return archiveKey === null || expiresAt === null || expiresAt <= new Date() ? 'EXPIRED' : 'READY';
}

/** Where the archive is fetched from, for ten minutes; null while there is none. */
export function downloadPathOf(row: UserExportRow, { apiKeyPepper }: TenantContext): string | null {
  if (exportStatusOf(row) !== 'READY') return null;
  return `/exports/${signExportLink(apiKeyPepper, { tenantId: row.tenantId, exportId: row.id })}`;
}
