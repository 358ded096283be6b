import type { TenantId } from '@kindred/domain/ids';
import type { PlanName } from '@kindred/domain/plans';
import type { Viewer } from '@kindred/domain/viewer';
import type { Allowances } from './allowances.ts';
import type { Quotas } from './quotas.ts';
import type { UsageLedger } from './usage-ledger.ts';

/** What one operation takes of its tenant's month. */
export interface Spending {
  /** The tenant's plan; null for whoever has no tenant. */
  plan: PlanName | null;
  /** Takes what the operation costs at most. @throws QuotaExceededError */
  take(points: number): Promise<void>;
  /** The operation was not run: it takes nothing. */
  cancel(): void;
  /** What was run turned out to cost, and gave: it is in the ledger. */
  settle(operation: string, used: { points: number; recommendations: number }): void;
}

/** Begins the spending of operations. */
export interface SpendingGate {
  /** Takes a request of the tenant's month, before anything is planned. @throws QuotaExceededError */
  begin(viewer: Viewer): Promise<Spending>;
}

const UNCOUNTED: Spending = {
  plan: null,
  take: async () => undefined,
  cancel: () => undefined,
  settle: () => undefined,
};

interface Parts {
  allowances: Pick<Allowances, 'planOf'>;
  quotas: Pick<Quotas, 'take' | 'giveBack'>;
  ledger: Pick<UsageLedger, 'add'>;
}

export function createSpendingGate(parts: Parts): SpendingGate {
  return {
    begin: async (viewer) => {
      if (!('tenantId' in viewer)) return UNCOUNTED;
      const { tenantId } = viewer;
      const plan = await parts.allowances.planOf(tenantId);
      // Of a month without a point left nothing is planned either.
      await parts.quotas.take(tenantId, plan, ENTRY);
      const credential = viewer.kind === 'apiKey' ? viewer.apiKeyId : 'session';
      return new TenantSpending(parts, { tenantId, plan, credential });
    },
  };
}

const ENTRY = { requests: 1, points: 1 };

class TenantSpending implements Spending {
  readonly plan: PlanName;
  readonly #parts: Parts;
  readonly #tenantId: TenantId;
  readonly #credential: string;
  #points = ENTRY.points;
  #isOver = false;

  constructor(parts: Parts, who: { tenantId: TenantId; plan: PlanName; credential: string }) {
    this.#parts = parts;
    this.#tenantId = who.tenantId;
    this.plan = who.plan;
    this.#credential = who.credential;
  }

  async take(points: number): Promise<void> {
    const more = points - this.#points;
    if (more <= 0) return;
    await this.#parts.quotas.take(this.#tenantId, this.plan, { requests: 0, points: more });
    this.#points = points;
  }

  cancel(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#parts.quotas.giveBack(this.#tenantId, { requests: ENTRY.requests, points: this.#points });
  }

  settle(operation: string, { points, recommendations }: { points: number; recommendations: number }): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#parts.quotas.giveBack(this.#tenantId, { requests: 0, points: this.#points - points });
    this.#parts.ledger.add({
      tenantId: this.#tenantId,
      operation,
      credential: this.#credential,
      points,
      recommendations,
    });
  }
}
