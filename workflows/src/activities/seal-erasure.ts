import { sealErasure as seal } from '@kindred/db/erasures';
import { withTenant } from '@kindred/db/tenants';
import type { ErasureRef } from '@kindred/domain/user-events';
import { checkErasure } from './check-erasure.ts';
import type { ActivityDeps } from './create-activities.ts';

/** Where something of the user still is; the erasure is sealed when that is nowhere. */
export interface Sealing {
  heldIn: string[];
}

/** Closes the receipt once no store holds anything of the user any more. */
export async function sealErasure(deps: ActivityDeps, ref: ErasureRef): Promise<Sealing> {
  const checks = await checkErasure(deps, ref);
  const heldIn = checks.filter(({ heldCount }) => heldCount > 0).map(({ store, scope }) => `${store} ${scope}`);
  if (heldIn.length === 0) {
    await withTenant(deps.db, ref.tenantId, (tx) => seal(tx, ref.erasureId));
  }
  return { heldIn };
}
