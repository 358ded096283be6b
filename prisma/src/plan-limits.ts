import { type Plan, type PlanName, PLANS } from '@kindred/domain/plans';
import type { TenantTx } from './tenants.ts';

/** What a plan limits of what is written. */
export type LimitedThing = 'items' | 'interactions' | 'trainings';

const LIMITS = {
  items: 'itemCount',
  interactions: 'interactionCount',
  trainings: 'trainingsPerMonth',
} as const satisfies Record<LimitedThing, keyof Plan>;

/** The tenant's plan does not allow what was written; its transaction has to be given up. */
export class PlanLimitError extends Error {
  override readonly name = 'PlanLimitError';

  constructor(thing: LimitedThing, { plan, had, wanted }: { plan: PlanName; had: number; wanted: number }) {
    const [allowed, before, more] = [PLANS[plan][LIMITS[thing]], had, wanted].map((count) =>
      count.toLocaleString('en'),
    );
    const time = thing === 'trainings' ? ' in a month' : '';
    super(`The plan ${plan} allows ${allowed} ${thing}${time}: there are ${before}, and ${more} more were wanted.`);
  }
}

/** Tenants that are so far from a limit when they are looked at need not be looked at again for `FAR_MS`. */
const FAR_ROWS = 1_000_000;
const FAR_MS = 10_000;
const REMEMBERED = 20_000;

export interface PlanGuard {
  /**
   * Does `write` unless it takes the tenant over its plan's limit. Close to it, writers of a tenant take turns, so that
   * none goes over; far from it, nothing is asked and nobody waits.
   * @throws PlanLimitError when more is there afterwards than before, and than the plan allows
   */
  within<T>(tx: TenantTx, thing: Exclude<LimitedThing, 'trainings'>, write: () => Promise<T>): Promise<T>;
}

/** A guard for one process, which remembers who is far from a limit. */
export function createPlanGuard(now: () => number = () => performance.now()): PlanGuard {
  const farUntil = new Map<string, number>();
  return {
    within: async (tx, thing, write) => {
      const key = `${thing} ${tx.tenantId}`;
      if ((farUntil.get(key) ?? -Infinity) > now()) return await write();
      const { plan, counts } = await readStored(tx);
      if (PLANS[plan][LIMITS[thing]] - counts[thing] >= FAR_ROWS) {
        if (farUntil.size >= REMEMBERED) farUntil.clear();
        farUntil.set(key, now() + FAR_MS);
        return await write();
      }
      return await takeTurn(tx, thing, write);
    },
  };
}

async function takeTurn<T>(
  tx: TenantTx,
  thing: Exclude<LimitedThing, 'trainings'>,
  write: () => Promise<T>,
): Promise<T> {
  await lock(tx, thing);
  const before = await readStored(tx);
  const answer = await write();
  const { plan, counts } = await readStored(tx);
  const [had, has] = [before.counts[thing], counts[thing]];
  if (has > had && has > PLANS[plan][LIMITS[thing]]) throw new PlanLimitError(thing, { plan, had, wanted: has - had });
  return answer;
}

/**
 * Lets `wanted` more trainings of this month begin, or trials of a tuning; those of a tenant take turns until the transaction ends.
 * @throws PlanLimitError when the plan has fewer left
 */
export async function allowTrainings(tx: TenantTx, wanted = 1): Promise<void> {
  await lock(tx, 'trainings');
  const [row] = await tx.client.$queryRaw<{ plan: PlanName; had: number }[]>`
    SELECT t.plan, coalesce((SELECT sum(d.trainings) FROM usage_days d WHERE d.tenant_id = t.id
                                AND d.day >= date_trunc('month', now() AT TIME ZONE 'UTC')::date), 0)::float8 AS had
      FROM tenants t WHERE t.id = ${tx.tenantId}::uuid`;
  if (row !== undefined && row.had + wanted > PLANS[row.plan].trainingsPerMonth)
    throw new PlanLimitError('trainings', { ...row, wanted });
}

/** The tenant's plan and what it stores, this transaction's own writes included. */
export async function readStored(
  tx: TenantTx,
): Promise<{ plan: PlanName; counts: { items: number; interactions: number } }> {
  const [row] = await tx.client.$queryRaw<{ plan: PlanName; items: number; interactions: number }[]>`
    SELECT t.plan, coalesce(sum(c.items), 0)::float8 AS items, coalesce(sum(c.interactions), 0)::float8 AS interactions
      FROM tenants t LEFT JOIN tenant_counts c ON c.tenant_id = t.id
     WHERE t.id = ${tx.tenantId}::uuid GROUP BY t.plan`;
  if (row === undefined) throw new Error(`The tenant ${tx.tenantId} is gone.`);
  const { plan, ...counts } = row;
  return { plan, counts };
}

async function lock(tx: TenantTx, thing: LimitedThing): Promise<void> {
  await tx.client.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${`plan/${thing}/${tx.tenantId}`}, 0))`;
}
