import { AppError } from '@kindred/domain/app-error';
import { LruCache } from '@kindred/service/lru-cache';
import type { Caller } from '../caller.ts';

/** Keeps a tenant, or an address without a credential, from holding the planning thread with one dear operation after another. */
export interface SlowCallers {
  /** @throws AppError RATE_LIMITED when an operation of theirs took too long a moment ago */
  check(caller: Caller): void;
  note(caller: Caller): void;
}

/** In it the thread is started anew and plans for the others. */
const PAUSE_MS = 5_000;
const CALLERS = { capacity: 10_000, maxWeight: 10_000 };

export function createSlowCallers(now: () => number = () => performance.now()): SlowCallers {
  const pausedUntil = new LruCache<number>(CALLERS);
  return {
    check: (caller) => {
      if (now() >= (pausedUntil.get(keyOf(caller)) ?? 0)) return;
      const message = 'An operation of yours took too long to plan; documents that are new here are read again in 5 s.';
      throw new AppError('RATE_LIMITED', message);
    },
    note: (caller) => pausedUntil.set(keyOf(caller), now() + PAUSE_MS, 1),
  };
}

function keyOf({ credential: { viewer }, address }: Caller): string {
  return 'tenantId' in viewer ? viewer.tenantId : address;
}
