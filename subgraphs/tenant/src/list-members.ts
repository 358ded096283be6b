import { type AuditEventRow, listAuditEvents as readAuditEvents } from '@kindred/db/audit-log';
import { listMembers as readMembers, type MemberRow } from '@kindred/db/members';
import { type TenantRow, withTenant } from '@kindred/db/tenants';
import { AppError } from '@kindred/domain/app-error';
import { checkPageSize, decodeCursor } from '@kindred/domain/cursor';
import { decodeGlobalId, encodeGlobalId } from '@kindred/domain/ids';
import { type Connection, toConnection } from '@kindred/service/connection';
import type { TenantContext } from './context.ts';
import type { TenantAuditEventsArgs, TenantMembersArgs } from './generated/resolvers.ts';

/**
 * A page of the tenant's members.
 * @throws AppError BAD_USER_INPUT for a page size or cursor that cannot be.
 */
export async function listMembers(
  { db }: TenantContext,
  tenant: TenantRow,
  args: TenantMembersArgs,
): Promise<Connection<MemberRow>> {
  const { after } = args;
  const first = checkPageSize(args.first);
  const afterId = typeof after === 'string' ? decodeGlobalId('Account', decodeCursor(after)) : null;
  const rows = await withTenant(db, tenant.id, (tx) => readMembers(tx, { first: first + 1, afterId }));
  return toConnection(rows, { first, after }, ({ accountId }) => encodeGlobalId('Account', accountId));
}

/**
 * A page of the tenant's audit log, newest first.
 * @throws AppError BAD_USER_INPUT for a page size or cursor that cannot be.
 */
export async function listAuditEvents(
  { db }: TenantContext,
  tenant: TenantRow,
  args: TenantAuditEventsArgs,
): Promise<Connection<AuditEventRow>> {
  const { after } = args;
  const first = checkPageSize(args.first);
  const beforeSequence = typeof after === 'string' ? readSequence(decodeCursor(after)) : null;
  const rows = await withTenant(db, tenant.id, (tx) => readAuditEvents(tx, { first: first + 1, beforeSequence }));
  return toConnection(rows, { first, after }, ({ sequence }) => String(sequence));
}

function readSequence(text: string): bigint {
  if (/^[1-9][0-9]{0,17}$/.test(text)) return BigInt(text);
  throw new AppError('BAD_USER_INPUT', `after must be a cursor of this connection, got one that holds "${text}".`);
}
