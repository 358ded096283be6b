import { randomUUID } from 'node:crypto';
import { encodeGlobalId, type TenantId } from '@kindred/domain/ids';
import type { Logger } from '@kindred/service/logger';
import { dayOf } from './month.ts';

/** What one kind of operation of one credential spent on a day. */
export interface UsageEntry {
  tenantId: string;
  /** In UTC, as `2026-11-26`. */
  day: string;
  operation: string;
  credential: string;
  requests: number;
  points: number;
  recommendations: number;
}

export interface UsageBatch {
  batchId: string;
  entries: UsageEntry[];
}

export interface Spent {
  tenantId: TenantId;
  operation: string;
  credential: string;
  points: number;
  recommendations: number;
}

export interface UsageLedger {
  /** One request more. */
  add(spent: Spent): void;
  /** Sends what was added. What was not acknowledged is sent again, as the same batch, by the next call. */
  flush(): Promise<void>;
  /** How many entries are not acknowledged yet. */
  openCount(): number;
}

const ENTRIES_PER_BATCH = 1_000;

/** Adds up what is spent until it is sent: a process that is killed loses what it added since the last flush. */
export function createUsageLedger(options: {
  /** @throws when the batch is not known to be in the ledger. */
  send: (batch: UsageBatch) => Promise<void>;
  logger: Logger;
  now?: () => number;
}): UsageLedger {
  const { send, logger, now = Date.now } = options;
  let open = new Map<string, UsageEntry>();
  let sealed: UsageBatch[] = [];
  let underWay: Promise<void> | undefined;

  const sendAll = async () => {
    if (sealed.length === 0) {
      const entries = [...open.values()];
      open = new Map();
      for (let from = 0; from < entries.length; from += ENTRIES_PER_BATCH)
        sealed.push({ batchId: randomUUID(), entries: entries.slice(from, from + ENTRIES_PER_BATCH) });
    }
    for (const batch of sealed) {
      await send(batch);
      sealed = sealed.filter((other) => other !== batch);
    }
  };

  return {
    add: ({ tenantId, operation, credential, points, recommendations }) => {
      const day = dayOf(now());
      const key = `${tenantId} ${credential} ${operation} ${day}`;
      const entry = open.get(key);
      if (entry === undefined) {
        const id = encodeGlobalId('Tenant', tenantId);
        open.set(key, { tenantId: id, day, operation, credential, requests: 1, points, recommendations });
        return;
      }
      entry.requests += 1;
      entry.points += points;
      entry.recommendations += recommendations;
    },
    flush: async () => {
      underWay ??= sendAll()
        .catch((err: unknown) => logger.warn({ err }, 'Usage cannot be recorded now; it is kept, and sent again'))
        .finally(() => {
          underWay = undefined;
        });
      await underWay;
    },
    openCount: () => open.size + sealed.reduce((sum, { entries }) => sum + entries.length, 0),
  };
}
