import { addCanaryCounts } from '@kindred/db/canaries';
import type { Db } from '@kindred/db/client';
import { withTenant } from '@kindred/db/tenants';
import type { CanaryArm } from '@kindred/domain/canary';
import type { ModelVersionId, TenantId } from '@kindred/domain/ids';
import type { Logger } from '@kindred/service/logger';

/** Counts what the sides of trials do, and adds it to the database now and then; a crash loses what came since. */
export interface CanaryTally extends AsyncDisposable {
  count(tenantId: TenantId, side: { trial: { id: ModelVersionId }; arm: CanaryArm }, what: 'answer' | 'error'): void;
}

const FLUSH_EVERY_MS = 1_000;

interface Counts {
  tenantId: TenantId;
  trialId: ModelVersionId;
  arms: Record<CanaryArm, { answerCount: number; errorCount: number }>;
}

export function startCanaryTally({ db, logger }: { db: Db; logger: Logger }): CanaryTally {
  let pending = new Map<ModelVersionId, Counts>();
  let flushing = Promise.resolve();
  const add = ({ tenantId, trialId, arms }: Counts) => {
    let counts = pending.get(trialId);
    if (counts === undefined) {
      counts = { tenantId, trialId, arms: emptyArms() };
      pending.set(trialId, counts);
    }
    for (const arm of ['CONTROL', 'CANARY'] as const) {
      counts.arms[arm].answerCount += arms[arm].answerCount;
      counts.arms[arm].errorCount += arms[arm].errorCount;
    }
  };
  const flush = async () => {
    const batch = pending;
    pending = new Map();
    for (const counts of batch.values()) {
      const { tenantId, trialId, arms } = counts;
      try {
        await withTenant(db, tenantId, (tx) => addCanaryCounts(tx, trialId, arms));
      } catch (err) {
        logger.warn({ err, tenantId, trialId }, 'The counts of a canary were not stored; they are tried again.');
        add(counts);
      }
    }
  };
  const flushInTurn = () => {
    flushing = flushing.then(flush);
    return flushing;
  };
  const timer = setInterval(() => void flushInTurn(), FLUSH_EVERY_MS).unref();
  return {
    count(tenantId, { trial, arm }, what) {
      const arms = emptyArms();
      arms[arm][what === 'answer' ? 'answerCount' : 'errorCount'] = 1;
      add({ tenantId, trialId: trial.id, arms });
    },
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await flushInTurn();
    },
  };
}

function emptyArms(): Counts['arms'] {
  return { CONTROL: { answerCount: 0, errorCount: 0 }, CANARY: { answerCount: 0, errorCount: 0 } };
}
