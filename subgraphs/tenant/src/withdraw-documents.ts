import { appendAuditEvent } from '@kindred/db/audit-log';
import { withdrawDocuments as deleteDocuments } from '@kindred/db/published-documents';
import { type TenantTx, withTenant } from '@kindred/db/tenants';
import { requireTenant } from '@kindred/service/guards';
import { actorOf } from './audit.ts';
import type { TenantContext } from './context.ts';
import { digestOf, documentIdOf } from './document-id.ts';
import type { UserError, WithdrawDocumentsInput, WithdrawDocumentsPayload } from './generated/resolvers.ts';
import { once } from './once.ts';
import { userError } from './user-error.ts';

const MAX_PER_CALL = 100;

/** Takes published documents of the viewer's tenant back, all of them or none. */
export async function withdrawDocuments(
  context: TenantContext,
  input: WithdrawDocumentsInput,
): Promise<WithdrawDocumentsPayload> {
  const { documentIds } = input;
  const userErrors = check(documentIds);
  if (userErrors.length > 0) return { withdrawnDocumentIds: null, userErrors };
  const digests = [...new Set(documentIds.map(digestOf).filter((digest) => digest !== undefined))];
  const withdraw = async (tx: TenantTx): Promise<WithdrawDocumentsPayload> => {
    const unknown = new Set((await deleteDocuments(tx, digests)).map(documentIdOf));
    if (unknown.size > 0) return { withdrawnDocumentIds: null, userErrors: notPublished(documentIds, unknown) };
    const withdrawnDocumentIds = digests.map(documentIdOf);
    const details = { documentIds: withdrawnDocumentIds };
    await appendAuditEvent(tx, { actor: actorOf(context.viewer), action: 'withdrawDocuments', details });
    return { withdrawnDocumentIds, userErrors: [] };
  };
  return withTenant(context.db, requireTenant(context.viewer), (tx) =>
    once(tx, { operation: 'withdrawDocuments', input }, () => withdraw(tx)),
  );
}

function check(documentIds: readonly string[]): UserError[] {
  if (documentIds.length < 1 || documentIds.length > MAX_PER_CALL) {
    const message = `documentIds must be a list of 1-${MAX_PER_CALL}, got ${documentIds.length}.`;
    return [userError('INVALID', message, ['documentIds'])];
  }
  return documentIds.flatMap((documentId, index) => {
    if (digestOf(documentId) !== undefined) return [];
    return [userError('INVALID', `Wanted "sha256:" and 64 hex digits, got "${documentId}".`, pathOf(index))];
  });
}

function notPublished(documentIds: readonly string[], unknown: ReadonlySet<string>): UserError[] {
  return documentIds.flatMap((documentId, index) => {
    if (!unknown.has(documentId)) return [];
    return [userError('NOT_FOUND', `The tenant has not published "${documentId}".`, pathOf(index))];
  });
}

function pathOf(index: number): string[] {
  return ['documentIds', String(index)];
}
