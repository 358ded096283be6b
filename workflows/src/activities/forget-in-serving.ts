import { createHash } from 'node:crypto';
import { appendReceiptLine } from '@kindred/db/erasure-receipts';
import { getErasure, noteGone } from '@kindred/db/erasures';
import { withTenant } from '@kindred/db/tenants';
import type { ErasureRef } from '@kindred/domain/user-events';
import { askServing } from '../ask-serving.ts';
import type { ActivityDeps } from './create-activities.ts';

/**
 * Has every serving replica forget the user; from its success on nothing answers with the user.
 * @throws Error when a replica does not answer, or still holds something.
 */
export async function forgetInServing(deps: ActivityDeps, { tenantId, erasureId }: ErasureRef): Promise<void> {
  const { userId, externalId } = await withTenant(deps.db, tenantId, (tx) => getErasure(tx, erasureId));
  const replies = await askServing(deps.events, { tenantId, userId, userExternalId: externalId, forget: true });
  const holding = replies.filter(({ heldCount }) => heldCount > 0);
  if (holding.length > 0) {
    const names = holding.map(({ replica, heldCount }) => `${replica} (${heldCount})`).join(', ');
    throw new Error(`Replicas that still hold something of the erased user: ${names}.`);
  }
  await withTenant(deps.db, tenantId, async (tx) => {
    for (const { replica, forgottenCount } of replies) {
      const evidence = createHash('sha256').update(`${replica} ${forgottenCount}`).digest();
      const line = { store: 'SERVING_MEMORY', scope: replica, rowCount: forgottenCount, evidence } as const;
      await appendReceiptLine(tx, erasureId, line);
    }
    await noteGone(tx, erasureId);
  });
}
