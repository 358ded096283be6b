import type { TenantId, UserExportId, UserId } from '@kindred/domain/ids';
import type { TenantTx } from './tenants.ts';

/** A copy of everything that is kept of a user: under way, there to be fetched, or past its time. */
export interface UserExportRow {
  tenantId: TenantId;
  id: UserExportId;
  userId: UserId;
  validMinutes: number;
  requestedAt: Date;
  finishedAt: Date | null;
  expiresAt: Date | null;
  archiveKey: string | null;
  sha256: Uint8Array | null;
  sizeBytes: number | null;
}

export async function createUserExport(
  tx: TenantTx,
  input: { id: UserExportId; userId: UserId; validMinutes: number },
): Promise<void> {
  await tx.client.userExport.create({ data: { tenantId: tx.tenantId, ...input } });
}

/** Null when the tenant has none of this id: it was never asked for, or its user was erased. */
export async function findUserExport(tx: TenantTx, id: UserExportId): Promise<UserExportRow | null> {
  const row = await tx.client.userExport.findUnique({ where: { tenantId_id: { tenantId: tx.tenantId, id } } });
  return row as (typeof row & UserExportRow) | null;
}

/** Notes where the archive is and until when; false when the export is gone, so that the archive has to go too. */
export async function finishUserExport(
  tx: TenantTx,
  input: { id: UserExportId; archiveKey: string; sha256: Uint8Array; sizeBytes: number },
): Promise<boolean> {
  const written = await tx.client.$executeRaw`
    UPDATE user_exports SET finished_at = clock_timestamp(), archive_key = ${input.archiveKey},
           expires_at = clock_timestamp() + valid_minutes * interval '1 minute',
           sha256 = ${new Uint8Array(input.sha256)}, size_bytes = ${input.sizeBytes}
     WHERE tenant_id = ${tx.tenantId}::uuid AND id = ${input.id}::uuid`;
  return written === 1;
}

/** Notes that the archive is not there any more. */
export async function expireUserExport(tx: TenantTx, id: UserExportId): Promise<void> {
  await tx.client.userExport.updateMany({ where: { tenantId: tx.tenantId, id }, data: { archiveKey: null } });
}
