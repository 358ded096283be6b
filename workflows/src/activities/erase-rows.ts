import { eraseUserRows, type ErasureLeftovers } from '@kindred/db/erasures';
import { withTenant } from '@kindred/db/tenants';
import { trainingTopic } from '@kindred/domain/training';
import type { ErasureRef } from '@kindred/domain/user-events';
import { announce } from '../record-event.ts';
import type { ActivityDeps } from './create-activities.ts';

/** Deletes the user's rows, and fences off the trainings whose data hold the user, in one transaction. */
export async function eraseRows(deps: ActivityDeps, { tenantId, erasureId }: ErasureRef): Promise<ErasureLeftovers> {
  const { leftovers, events } = await withTenant(deps.db, tenantId, (tx) => eraseUserRows(tx, erasureId));
  for (const event of events) {
    await announce(deps, trainingTopic(tenantId, event.runId), event);
  }
  return leftovers;
}
