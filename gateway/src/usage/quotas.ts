import { AppError } from '@kindred/domain/app-error';
import type { TenantId } from '@kindred/domain/ids';
import { type PlanName, PLANS } from '@kindred/domain/plans';
import type { Logger } from '@kindred/service/logger';
import { monthOf, secondsToNextMonth } from './month.ts';
import type { Amount, QuotaKey, QuotaStore } from './quota-store.ts';

/** The tenant's month is spent. */
export class QuotaExceededError extends AppError {
  readonly retryAfterS: number;

  constructor(plan: PlanName, { need, left }: { need: Amount; left: Amount }, nowMs: number) {
    const retryAfterS = secondsToNextMonth(nowMs);
    const { requestsPerMonth, pointsPerMonth } = PLANS[plan];
    const [allowed, wanted, rest, unit] =
      left.requests < need.requests
        ? [requestsPerMonth, need.requests, left.requests, 'requests']
        : [pointsPerMonth, need.points, left.points, 'points'];
    const count = (number: number) => Math.max(0, number).toLocaleString('en');
    super(
      'QUOTA_EXCEEDED',
      `The plan ${plan} allows ${count(allowed)} ${unit} a month: ${count(rest)} are left, and ${count(wanted)} were wanted.`,
    );
    this.retryAfterS = retryAfterS;
  }
}

export interface Quotas {
  /**
   * Takes from the tenant's month. Most of a busy tenant's are taken in advance, and then nothing is to wait for.
   * Without the store it lets pass.
   * @throws QuotaExceededError when there is not as much
   */
  take(tenantId: TenantId, plan: PlanName, need: Amount): Promise<void> | undefined;
  /** Leaves what was taken and not spent to the next one. */
  giveBack(tenantId: TenantId, amount: Amount): void;
  /** Gives what was taken in advance by tenants that have spent nothing since the last call back to all gateways. */
  release(everything?: boolean): Promise<void>;
}

/** What this process holds of a tenant's month. */
interface Lease extends Amount {
  key: QuotaKey;
  spentInWindow: Amount;
  spentBefore: Amount;
  windowEndsAt: number;
  isIdle: boolean;
}

const WINDOW_MS = 1_000;
/** The share of what a tenant spent in the last second that is taken in advance. */
const ADVANCE_SHARE = 0.1;
// After a failure the store is left alone this long.
const STORE_PAUSE_MS = 1_000;
const NOTHING: Amount = { requests: 0, points: 0 };

interface QuotaOptions {
  store: QuotaStore;
  /** Tells the store what the tenant's ledger says. */
  seed: (tenantId: TenantId) => Promise<void>;
  logger: Logger;
  now?: () => number;
}

export function createQuotas(options: QuotaOptions): Quotas {
  const { store, now = Date.now } = options;
  const refill = createRefill({ ...options, now });
  const leases = new Map<TenantId, Lease>();

  const leaseOf = (tenantId: TenantId): Lease => {
    const month = monthOf(now());
    const known = leases.get(tenantId);
    if (known?.key.month === month) return known;
    const windowEndsAt = now() + WINDOW_MS;
    const rates = { spentInWindow: { ...NOTHING }, spentBefore: NOTHING, windowEndsAt, isIdle: false };
    const lease: Lease = { key: { tenantId, month }, ...NOTHING, ...rates };
    leases.set(tenantId, lease);
    return lease;
  };

  return {
    take: (tenantId, plan, need) => {
      const lease = leaseOf(tenantId);
      roll(lease, need, now());
      if (lease.requests < need.requests || lease.points < need.points) return refill(lease, plan, need);
      lease.requests -= need.requests;
      lease.points -= need.points;
      return undefined;
    },
    giveBack: (tenantId, { requests, points }) => {
      const lease = leaseOf(tenantId);
      lease.requests += requests;
      lease.points += points;
    },
    release: async (everything = false) => {
      for (const [tenantId, lease] of leases) {
        if (lease.isIdle || everything) {
          leases.delete(tenantId);
          const { requests, points } = lease;
          if (requests + points > 0) await store.giveBack(lease.key, { requests, points }).catch(() => undefined);
        }
        lease.isIdle = true;
      }
    },
  };
}

/** What takes from the store for a lease that does not hold enough; while the store does not answer, what lets pass. */
function createRefill({ store, seed, logger, now }: Required<QuotaOptions>) {
  let storeFrom = 0;

  const take = async (lease: Lease, plan: PlanName, need: Amount): Promise<void> => {
    const { requestsPerMonth, pointsPerMonth } = PLANS[plan];
    const want = {
      requests: need.requests + Math.floor(lease.spentBefore.requests * ADVANCE_SHARE),
      points: need.points + Math.floor(lease.spentBefore.points * ADVANCE_SHARE),
    };
    const amounts = { need, want, limit: { requests: requestsPerMonth, points: pointsPerMonth } };
    let taken = await store.take(lease.key, amounts);
    if (taken.outcome === 'unknown') {
      await seed(lease.key.tenantId);
      taken = await store.take(lease.key, amounts);
    }
    if (taken.outcome === 'refused') throw new QuotaExceededError(plan, { need, left: taken.amount }, now());
    // Nobody can say what was spent: as without a store.
    const amount = taken.outcome === 'granted' ? taken.amount : need;
    lease.requests += amount.requests - need.requests;
    lease.points += amount.points - need.points;
  };

  return async (lease: Lease, plan: PlanName, need: Amount): Promise<void> => {
    if (now() < storeFrom) return;
    try {
      await take(lease, plan, need);
    } catch (error) {
      if (error instanceof QuotaExceededError) throw error;
      storeFrom = now() + STORE_PAUSE_MS;
      logger.warn({ err: error }, 'Months cannot be counted now; what is spent is in the ledger alone');
    }
  };
}

function roll(lease: Lease, need: Amount, at: number): void {
  if (at >= lease.windowEndsAt) {
    lease.spentBefore = at < lease.windowEndsAt + WINDOW_MS ? lease.spentInWindow : NOTHING;
    lease.spentInWindow = { ...NOTHING };
    lease.windowEndsAt = at + WINDOW_MS;
  }
  lease.isIdle = false;
  lease.spentInWindow.requests += need.requests;
  lease.spentInWindow.points += need.points;
}
