import { createHash } from 'node:crypto';
import { appendReceiptLine } from '@kindred/db/erasure-receipts';
import { getErasure } from '@kindred/db/erasures';
import { withTenant } from '@kindred/db/tenants';
import type { ErasureRef } from '@kindred/domain/user-events';
import { deleteHistoryKeys } from '@kindred/service/erased-histories';
import type { ActivityDeps } from './create-activities.ts';

/** Deletes what Redis holds of the user. */
export async function eraseHistories(deps: ActivityDeps, { tenantId, erasureId }: ErasureRef): Promise<void> {
  const { externalId } = await withTenant(deps.db, tenantId, (tx) => getErasure(tx, erasureId));
  if (externalId === null) {
    return;
  }
  const deleted = await deleteHistoryKeys(deps.redis, { tenantId, userExternalId: externalId });
  // Of the values: the keys hold the id, which a hash of them would give away to whoever guesses.
  const evidence = createHash('sha256')
    .update(JSON.stringify(deleted.map(({ values }) => values)))
    .digest();
  const line = { store: 'REDIS', scope: 'histories', rowCount: deleted.length, evidence } as const;
  await withTenant(deps.db, tenantId, (tx) => appendReceiptLine(tx, erasureId, line));
}
