import type { Db } from '@kindred/db/client';
import { type ItemStamp, readItemStamps } from '@kindred/db/items';
import type { TenantId } from '@kindred/domain/ids';

export interface ChangeWatchOptions {
  db: Db;
  /** A monotonic clock in milliseconds. */
  now: () => number;
  /** For so long items are kept that nobody looked at: what changed before is no matter. */
  keptForMs: number;
  /** Whether there may be items in memory already, which may have changed since they were read. */
  hasItems: boolean;
  /** Gets the items of a tenant that were written lately, among them all that were since the look before. */
  onLook: (tenantId: TenantId, stamps: readonly ItemStamp[]) => void;
}

/** Changes are looked for in the background after the first of these, and waited for after the second. */
const LOOK_AFTER_MS = 1_000;
const LATEST_LOOK_MS = 2_000;
/** A transaction may commit this long after the time that it gave its items. */
const LATEST_COMMIT_MS = 40_000;

interface Look {
  /** When the last look that succeeded began. */
  lookedAt: number;
  running: Promise<void> | null;
}

/** Looks into the database for changes of items while nobody tells of them: one small question instead of all items. */
export class ChangeWatch {
  readonly #options: ChangeWatchOptions;
  readonly #looks = new Map<TenantId, Look>();

  constructor(options: ChangeWatchOptions) {
    this.#options = options;
  }

  /**
   * Resolves when every change that is older than two seconds was looked at, and one that comes later will be. To be
   * awaited before items in memory are used.
   */
  async follow(tenantId: TenantId): Promise<void> {
    const { now, keptForMs, hasItems } = this.#options;
    let look = this.#looks.get(tenantId);
    if (look === undefined && hasItems) {
      // All that is still kept was read later.
      look = { lookedAt: now() - keptForMs, running: null };
      this.#looks.set(tenantId, look);
    }
    if (look === undefined || now() - look.lookedAt > keptForMs + LATEST_LOOK_MS) {
      this.#looks.set(tenantId, { lookedAt: now(), running: null });
      return;
    }
    const ageMs = now() - look.lookedAt;
    if (ageMs < LOOK_AFTER_MS) return;
    look.running ??= this.#look(tenantId, look).finally(() => {
      look.running = null;
    });
    if (ageMs >= LATEST_LOOK_MS) await look.running;
    // What fails in the background is tried again, and waited for.
    else look.running.catch(() => undefined);
  }

  /** Whether changes were looked for after a moment, or need not be, because nothing was in memory then. */
  hasLookedSince(tenantId: TenantId, moment: number): boolean {
    return (this.#looks.get(tenantId)?.lookedAt ?? Number.NEGATIVE_INFINITY) > moment;
  }

  async #look(tenantId: TenantId, look: Look): Promise<void> {
    const { db, now, onLook } = this.#options;
    const beganAt = now();
    const window = { withinMs: beganAt - look.lookedAt + LATEST_COMMIT_MS };
    onLook(tenantId, await readItemStamps(db, tenantId, window));
    look.lookedAt = beganAt;
  }
}
