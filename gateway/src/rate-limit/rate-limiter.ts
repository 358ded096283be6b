import { AppError } from '@kindred/domain/app-error';
import { DEFAULT_PLAN, type PlanName, PLANS } from '@kindred/domain/plans';
import type { Viewer } from '@kindred/domain/viewer';
import type { Logger } from '@kindred/service/logger';
import { LruCache } from '@kindred/service/lru-cache';
import type { Bucket, RateStore } from './rate-store.ts';

/** What a bucket of one kind holds; see `OperationCosts` for points. */
export interface Rate {
  pointsPerSecond: number;
  burst: number;
}

/** A dashboard page costs 20 to 300 points, a page of 20 recommendations 42. */
export interface RatePolicy {
  /** Of an API key or a session. */
  credential: Rate;
  tenant: Rate;
  /** Of an address, for whoever has a credential, and for whoever has none. */
  address: Rate;
  anonymousAddress: Rate;
}

// A service asks for everybody from one address: it must not be stopped before its plan stops it.
const ADDRESS: Rate = { pointsPerSecond: 200_000, burst: 600_000 };
const ANONYMOUS_ADDRESS: Rate = { pointsPerSecond: 50, burst: 500 };

/** The rates of a plan; one credential may take half of its tenant's, so that it does not take all there is. */
function policyOfPlan({ pointsPerSecond, burst }: Rate): RatePolicy {
  return {
    credential: { pointsPerSecond: pointsPerSecond / 2, burst: burst / 2 },
    tenant: { pointsPerSecond, burst },
    address: ADDRESS,
    anonymousAddress: ANONYMOUS_ADDRESS,
  };
}

const POLICIES: Readonly<Record<PlanName, RatePolicy>> = {
  FREE: policyOfPlan(PLANS.FREE),
  GROWTH: policyOfPlan(PLANS.GROWTH),
  SCALE: policyOfPlan(PLANS.SCALE),
};

/** The rates that a tenant of this plan has; null: whoever has no tenant. */
export function ratesOfPlan(plan: PlanName | null): RatePolicy {
  return POLICIES[plan ?? DEFAULT_PLAN];
}

/** Who is charged. */
export interface Payer {
  viewer: Viewer;
  address: string;
  /** The tenant's; null for whoever has none. */
  plan: PlanName | null;
}

/** What an operation was charged. */
export interface Charge {
  policy: Rate;
  remaining(): number;
  /** Gives back what was not used. */
  refund(points: number): void;
}

export interface RateLimiter {
  /**
   * Takes the points of an operation from the payer's credential, tenant and address. Without Redis it goes on with
   * buckets of this process, unless `failsClosed`.
   * @throws RateLimitedError when they are not there, AppError UNAVAILABLE when nobody can say and it fails closed
   */
  charge(payer: Payer, points: number, options: { failsClosed: boolean }): Promise<Charge>;
}

export class RateLimitedError extends AppError {
  readonly policy: Rate;
  readonly remaining: number;
  readonly retryAfterS: number;

  constructor(
    points: number,
    { policy, remaining, retryAfterMs }: { policy: Rate; remaining: number; retryAfterMs: number },
  ) {
    const retryAfterS = Math.max(1, Math.ceil(retryAfterMs / 1000));
    super(
      'RATE_LIMITED',
      `The operation costs ${points} points, and ${Math.floor(remaining)} are left; try again in ${retryAfterS} s.`,
    );
    this.policy = policy;
    this.remaining = remaining;
    this.retryAfterS = retryAfterS;
  }
}

/** Points that were taken in advance: they save the busy the way to Redis for most of their operations. */
interface Account {
  advance: number;
  remaining: number;
  expiresAt: number;
  spentInWindow: number;
  windowEndsAt: number;
  spentBefore: number;
}

const WINDOW_MS = 1_000;
/** The share of what a payer spent in the last second that is taken in advance. */
const ADVANCE_SHARE = 0.1;
const ADVANCE_MS = 5_000;
// After a failure Redis is left alone this long, then one operation finds out for all: a stuck Redis holds nobody else.
const STORE_PAUSE_MS = 1_000;
const ACCOUNTS = { capacity: 20_000, maxWeight: 20_000 };

export function createRateLimiter(options: {
  shared: RateStore;
  local: RateStore;
  policyOf: (plan: PlanName | null) => RatePolicy;
  logger: Logger;
  now?: () => number;
}): RateLimiter {
  const { shared, local, policyOf, logger, now = () => performance.now() } = options;
  const accounts = new LruCache<Account>(ACCOUNTS);
  let sharedFrom = 0;
  let isTrying = false;

  const take = async (buckets: readonly Bucket[], points: { need: number; want: number }, failsClosed: boolean) => {
    if (now() >= sharedFrom && (failsClosed || !isTrying)) {
      const isTry = sharedFrom > 0;
      if (isTry) isTrying = true;
      try {
        const taken = await shared.take(buckets, points);
        if (isTry) sharedFrom = 0;
        return taken;
      } catch (err) {
        // Of those that failed at once one says so.
        if (now() >= sharedFrom) logger.warn({ err }, 'Rates cannot be shared now; this process counts its own');
        sharedFrom = now() + STORE_PAUSE_MS;
      } finally {
        if (isTry) isTrying = false;
      }
    }
    if (failsClosed) throw new AppError('UNAVAILABLE', 'Sign-in, keys and training are not available now; try again.');
    return await local.take(buckets, points);
  };

  return {
    charge: async ({ viewer, address, plan }, points, { failsClosed }) => {
      const buckets = bucketsOf(viewer, address, policyOf(plan));
      const [first] = buckets;
      if (first === undefined) throw new Error('Somebody is charged to nothing');
      const key = buckets.map((bucket) => bucket.key).join(' ');
      let account = accounts.get(key);
      if (account === undefined) accounts.set(key, (account = newAccount(now())), 1);
      roll(account, now());
      if (account.advance < points || failsClosed) {
        const need = Math.max(0, points - account.advance);
        const want = need + Math.floor(account.spentBefore * ADVANCE_SHARE);
        const taken = await take(buckets, { need, want }, failsClosed);
        if (taken.retryAfterMs > 0) throw new RateLimitedError(points, { policy: first, ...taken });
        account.advance += taken.granted;
        account.remaining = taken.remaining;
        account.expiresAt = now() + ADVANCE_MS;
      }
      account.advance -= points;
      account.spentInWindow += points;
      return {
        policy: first,
        remaining: () => Math.max(0, Math.floor(account.remaining + account.advance)),
        refund: (unused) => {
          // More than a full bucket would be a second one.
          account.advance = Math.min(first.burst, account.advance + unused);
          account.spentInWindow -= unused;
        },
      };
    },
  };
}

function newAccount(at: number): Account {
  return { advance: 0, remaining: 0, expiresAt: 0, spentInWindow: 0, windowEndsAt: at + WINDOW_MS, spentBefore: 0 };
}

function roll(account: Account, at: number): void {
  // What was not used in time is lost: saved up, it would be a second burst.
  if (at >= account.expiresAt) account.advance = Math.min(0, account.advance);
  if (at < account.windowEndsAt) return;
  account.spentBefore = at < account.windowEndsAt + WINDOW_MS ? account.spentInWindow : 0;
  account.spentInWindow = 0;
  account.windowEndsAt = at + WINDOW_MS;
}

function bucketsOf(viewer: Viewer, address: string, policy: RatePolicy): Bucket[] {
  if (!('tenantId' in viewer)) return [{ key: `anonymous:${address}`, ...policy.anonymousAddress }];
  const credential = viewer.kind === 'apiKey' ? `key:${viewer.apiKeyId}` : `account:${viewer.accountId}`;
  return [
    { key: credential, ...policy.credential },
    { key: `tenant:${viewer.tenantId}`, ...policy.tenant },
    { key: `address:${address}`, ...policy.address },
  ];
}
