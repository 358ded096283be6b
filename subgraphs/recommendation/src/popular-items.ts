import type { Db } from '@kindred/db/client';
import { listPopularItems } from '@kindred/db/items';
import { withTenant } from '@kindred/db/tenants';
import type { TenantId } from '@kindred/domain/ids';
import { DEEPEST_RANK, type RankedItem } from './rank-items.ts';
import { MOST_SEEN } from './read-history.ts';
import { MOST_EXCLUDED } from './read-question.ts';

/** Counting all interactions takes seconds for the largest tenants: not for every answer. */
const FRESH_FOR_MS = 5_000;
/** Enough for the deepest answer to whoever has seen and excluded most. */
const LONGEST_LIST = DEEPEST_RANK + MOST_SEEN + MOST_EXCLUDED;

/** One tenant's most popular items as the database knows them: what answers where no version does. */
export class PopularItems {
  readonly #tenantId: TenantId;
  readonly #deps: { db: Db; now: () => number };
  #latest: { readAt: number; items: Promise<readonly RankedItem[]> } | null = null;

  /** `now` is a monotonic clock in milliseconds. */
  constructor(tenantId: TenantId, deps: { db: Db; now: () => number }) {
    this.#tenantId = tenantId;
    this.#deps = deps;
  }

  /** Best first, at most five seconds old; read once for all who ask meanwhile, in a transaction of its own. */
  async list(): Promise<readonly RankedItem[]> {
    const now = this.#deps.now();
    if (this.#latest === null || now - this.#latest.readAt >= FRESH_FOR_MS) {
      this.#latest = { readAt: now, items: this.#read() };
    }
    const latest = this.#latest;
    let isUseful = false;
    try {
      const items = await latest.items;
      // Somebody who has just sent the first items wants to see them.
      isUseful = items.length > 0;
      return items;
    } finally {
      if (!isUseful && this.#latest === latest) this.#latest = null;
    }
  }

  async #read(): Promise<readonly RankedItem[]> {
    const page = { first: LONGEST_LIST, offset: 0, excludeIds: [] };
    const items = await withTenant(this.#deps.db, this.#tenantId, (tx) => listPopularItems(tx, page));
    return items.map(({ itemId, interactionCount }) => ({ itemId, score: interactionCount, itemRow: null }));
  }
}
