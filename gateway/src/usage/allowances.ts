import type { TenantId } from '@kindred/domain/ids';
import { DEFAULT_PLAN, type PlanName } from '@kindred/domain/plans';
import type { Logger } from '@kindred/service/logger';
import { LruCache } from '@kindred/service/lru-cache';

/** A tenant's plan, and what its ledger says that this month spent. */
export interface Allowance {
  plan: PlanName;
  requests: number;
  points: number;
}

export interface Allowances {
  /** The tenant's plan, as it was at most ten seconds before it was asked for last. */
  planOf(tenantId: TenantId): PlanName | Promise<PlanName>;
  /** Looks anew. */
  refresh(tenantId: TenantId): Promise<PlanName>;
}

const FRESH_MS = 10_000;
const KNOWN = { capacity: 20_000, maxWeight: 20_000 };

interface Known {
  /** Undefined before anybody has said. */
  plan: PlanName | undefined;
  freshUntil: number;
  lookUp: Promise<PlanName> | undefined;
}

/**
 * Plans by tenant. One that is known is used while it is looked up anew; one that cannot be looked up stays as it was, and is
 * the default for a tenant that nobody knows.
 */
export function createAllowances(options: {
  lookUp: (tenantId: TenantId) => Promise<Allowance>;
  /** Is told what was found, before the plan is used. */
  onFound: (tenantId: TenantId, allowance: Allowance) => Promise<void>;
  logger: Logger;
  now?: () => number;
}): Allowances {
  const { lookUp, onFound, logger, now = Date.now } = options;
  const known = new LruCache<Known>(KNOWN);

  const find = async (tenantId: TenantId, before: PlanName): Promise<PlanName> => {
    try {
      const allowance = await lookUp(tenantId);
      await onFound(tenantId, allowance);
      return allowance.plan;
    } catch (err) {
      logger.warn({ err, tenantId, plan: before }, 'A plan cannot be looked up now; the last one known holds');
      return before;
    }
  };

  const refresh = async (tenantId: TenantId): Promise<PlanName> => {
    const before = known.get(tenantId);
    if (before?.lookUp !== undefined) return await before.lookUp;
    const entry: Known = { plan: before?.plan, freshUntil: now() + FRESH_MS, lookUp: undefined };
    entry.lookUp = find(tenantId, before?.plan ?? DEFAULT_PLAN).then((plan) => {
      Object.assign(entry, { plan, lookUp: undefined });
      return plan;
    });
    known.set(tenantId, entry, 1);
    return await entry.lookUp;
  };

  return {
    refresh,
    planOf: (tenantId) => {
      const entry = known.get(tenantId);
      if (entry?.plan !== undefined && now() < entry.freshUntil) return entry.plan;
      const found = refresh(tenantId);
      return entry?.plan ?? found;
    },
  };
}
