import { encodeGlobalId, type TenantId } from '@kindred/domain/ids';
import { PLAN_NAMES } from '@kindred/domain/plans';
import type { Logger } from '@kindred/service/logger';
import { newTraceId } from '@kindred/service/trace';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { Deadline } from '../context.ts';
import type { SubgraphClient } from '../subgraph-client.ts';
import { type Allowance, createAllowances } from './allowances.ts';
import { monthOf } from './month.ts';
import { createRedisQuotaStore } from './quota-store.ts';
import { createQuotas } from './quotas.ts';
import { createSpendingGate, type SpendingGate } from './spending.ts';
import { createUsageLedger, type UsageBatch } from './usage-ledger.ts';

export interface Usage extends SpendingGate {
  /** How many entries are not in the ledger yet. */
  openCount(): number;
  /** Records what is open, and gives back what was taken in advance. */
  drain(): Promise<void>;
}

/** What a gateway that is killed loses of the ledger at most. */
const FLUSH_MS = 5_000;
const LAST_FLUSHES = 3;

/** Plans, months and the ledger, over the tenant subgraph and Redis; records every `FLUSH_MS`. */
export function createUsage(options: {
  client: SubgraphClient;
  redis: Redis;
  logger: Logger;
  flushMs?: number | undefined;
}): Usage {
  const { client, redis, logger, flushMs = FLUSH_MS } = options;
  const store = createRedisQuotaStore(redis);
  const allowances = createAllowances({
    lookUp: (tenantId) => lookUpAllowance(client, tenantId),
    // Whoever takes from the store says when it does not answer.
    onFound: (tenantId, spent) => store.raise({ tenantId, month: monthOf(Date.now()) }, spent).catch(() => undefined),
    logger,
  });
  const seed = async (tenantId: TenantId) => void (await allowances.refresh(tenantId));
  const quotas = createQuotas({ store, seed, logger });
  const ledger = createUsageLedger({ send: (batch) => record(client, batch), logger });
  const timer = setInterval(() => void ledger.flush().then(() => quotas.release()), flushMs).unref();
  return {
    ...createSpendingGate({ allowances, quotas, ledger }),
    openCount: () => ledger.openCount(),
    drain: async () => {
      clearInterval(timer);
      for (let time = 0; time < LAST_FLUSHES && ledger.openCount() > 0; time++) await ledger.flush();
      if (ledger.openCount() > 0) logger.error({ entries: ledger.openCount() }, 'Usage was not recorded and is lost');
      await quotas.release(true);
    },
  };
}

const ALLOWANCE =
  'query FindAllowance($tenantId: ID!, $month: String!) { tenantAllowance(tenantId: $tenantId, month: $month) { plan requests points } }';
const FOUND = z.object({
  data: z.object({
    tenantAllowance: z.object({ plan: z.enum(PLAN_NAMES), requests: z.number(), points: z.number() }),
  }),
});

async function lookUpAllowance(client: SubgraphClient, tenantId: TenantId): Promise<Allowance> {
  const variables = { tenantId: encodeGlobalId('Tenant', tenantId), month: monthOf(Date.now()) };
  return FOUND.parse(await askTenant(client, ALLOWANCE, variables)).data.tenantAllowance;
}

const RECORD = 'mutation RecordUsage($input: RecordUsageInput!) { recordUsage(input: $input) { entryCount } }';
const RECORDED = z.object({ data: z.object({ recordUsage: z.object({ entryCount: z.number() }) }) });

async function record(client: SubgraphClient, batch: UsageBatch): Promise<void> {
  RECORDED.parse(await askTenant(client, RECORD, { input: batch }));
}

async function askTenant(client: SubgraphClient, query: string, variables: Record<string, unknown>): Promise<unknown> {
  // Many requests may share the answer: none of them ends it.
  using deadline = new Deadline();
  const { signal, deadlineAt } = deadline;
  const viewer = { kind: 'system', scopes: [] } as const;
  return await client.request('tenant', { query, variables }, { viewer, traceId: newTraceId(), signal, deadlineAt });
}
