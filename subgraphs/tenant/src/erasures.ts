import { appendAuditEvent } from '@kindred/db/audit-log';
import { findReceiptProblem, listReceiptLines, type ReadReceiptLine } from '@kindred/db/erasure-receipts';
import {
  createErasure,
  type ErasureRow,
  findErasures,
  findWaitingErasure,
  listErasures as readErasures,
} from '@kindred/db/erasures';
import { withIdempotencyKey } from '@kindred/db/idempotency';
import { withTenant } from '@kindred/db/tenants';
import { checkPageSize, decodeCursor } from '@kindred/domain/cursor';
import {
  decodeGlobalId,
  encodeGlobalId,
  type ErasureId,
  type ModelVersionId,
  newId,
  type TrainingRunId,
  type UserExportId,
} from '@kindred/domain/ids';
import { type Connection, toConnection } from '@kindred/service/connection';
import { requireTenant } from '@kindred/service/guards';
import { actorOf } from './audit.ts';
import { checkExternalId } from './check-external-id.ts';
import { checkOptionalText } from './check-text.ts';
import type { TenantContext } from './context.ts';
import { subjectOf } from './erasure-subject.ts';
import type {
  EraseUserInput,
  ErasureStatus,
  ErasureVerification,
  QueryErasuresArgs,
  UserError,
} from './generated/resolvers.ts';
import { readId } from './read-id.ts';
import { userError } from './user-error.ts';

type Verification = Omit<ErasureVerification, 'erasure'> & { erasure: ErasureRow };

/** Notes that a user is to be forgotten, and starts the workflow that does it; a repeat finds the first one. */
export async function eraseUser(
  context: TenantContext,
  input: EraseUserInput,
): Promise<{ erasure: ErasureRow | null; userErrors: UserError[] }> {
  const { externalId, retrain, idempotencyKey } = input;
  const userErrors = [
    ...checkExternalId(externalId),
    ...checkOptionalText(idempotencyKey, { field: 'idempotencyKey', maxChars: 200 }),
  ];
  if (userErrors.length > 0) return { erasure: null, userErrors };
  const tenantId = requireTenant(context.viewer);
  const subject = subjectOf(context.apiKeyPepper, tenantId, externalId);
  const erasureId = await withTenant(context.db, tenantId, async (tx) => {
    const insert = async (): Promise<ErasureId> => {
      // One whose workflow could not be started is taken up by whoever asks again.
      const waiting = await findWaitingErasure(tx, { subject, retrain });
      if (waiting !== null) return waiting;
      const [id, requestedBy] = [newId('Erasure'), actorOf(context.viewer)];
      await createErasure(tx, { id, subject, externalId, retrain, requestedBy });
      const details = { erasureId: encodeGlobalId('Erasure', id), subject: subject.toString('hex'), retrain };
      await appendAuditEvent(tx, { actor: requestedBy, action: 'eraseUser', details });
      return id;
    };
    const request = { subject: subject.toString('hex'), retrain };
    const once = { operation: 'eraseUser', key: idempotencyKey ?? '', request };
    return typeof idempotencyKey === 'string' ? await withIdempotencyKey(tx, once, insert) : await insert();
  });
  await context.privacy.startErasure({ tenantId, erasureId });
  return { erasure: await findErasure(context, erasureId), userErrors };
}

/** Looks into every store for the user of an erasure, and recomputes its receipt. */
export async function verifyErasure(
  context: TenantContext,
  { erasureId }: { erasureId: string },
): Promise<{ verification: Verification | null; userErrors: UserError[] }> {
  const id = readId('Erasure', { field: 'erasureId', value: erasureId });
  if (typeof id !== 'string') return { verification: null, userErrors: [id] };
  const tenantId = requireTenant(context.viewer);
  const erasure = await findErasure(context, id);
  if (erasure === null) {
    const message = `erasureId must be that of an erasure of this tenant, got "${erasureId}".`;
    return { verification: null, userErrors: [userError('NOT_FOUND', message, ['erasureId'])] };
  }
  const checks = await context.privacy.verify({ tenantId, erasureId: id });
  const lines = await withTenant(context.db, tenantId, (tx) => listReceiptLines(tx, id));
  const isErased = checks.every(({ heldCount }) => heldCount === 0);
  const receiptProblem = findReceiptProblem(erasure, lines);
  return { verification: { erasure, isErased, receiptProblem, checks, checkedAt: new Date() }, userErrors: [] };
}

/** The erasure of this id, or null. */
export async function findErasure({ db, viewer }: TenantContext, id: ErasureId): Promise<ErasureRow | null> {
  const [erasure] = await withTenant(db, requireTenant(viewer), (tx) => findErasures(tx, [id]));
  return erasure ?? null;
}

/**
 * A page of the tenant's erasures, newest first.
 * @throws AppError BAD_USER_INPUT for a page size or cursor that cannot be.
 */
export async function listErasures(context: TenantContext, args: QueryErasuresArgs): Promise<Connection<ErasureRow>> {
  const { after } = args;
  const first = checkPageSize(args.first);
  const afterId = typeof after === 'string' ? decodeGlobalId('Erasure', decodeCursor(after)) : null;
  const rows = await withTenant(context.db, requireTenant(context.viewer), (tx) =>
    readErasures(tx, { first: first + 1, afterId }),
  );
  return toConnection(rows, { first, after }, ({ id }) => encodeGlobalId('Erasure', id));
}

/** The lines of an erasure's receipt so far. */
export async function readReceipt(
  { tenantId, id }: ErasureRow,
  { loaders }: TenantContext,
): Promise<ReadReceiptLine[]> {
  return (await loaders.receipts.load({ tenantId, id }))?.lines ?? [];
}

export function statusOf({ goneAt, sealedAt }: ErasureRow): ErasureStatus {
  if (sealedAt !== null) return 'SEALED';
  return goneAt === null ? 'RUNNING' : 'GONE';
}

/** What a line is about, as the API names it. */
export function scopeOf({ store, scope }: ReadReceiptLine): string {
  if (store === 'MODEL_VERSION' || store === 'INDEX') return encodeGlobalId('ModelVersion', scope as ModelVersionId);
  if (store === 'RUN_FILES') return encodeGlobalId('TrainingRun', scope as TrainingRunId);
  return store === 'EXPORT_FILES' ? encodeGlobalId('UserExport', scope as UserExportId) : scope;
}
