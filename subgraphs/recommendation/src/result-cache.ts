import type { ModelVersionId, TenantId, UserId } from '@kindred/domain/ids';
import { LruCache } from '@kindred/service/lru-cache';
import type { RankedItem } from './rank-items.ts';
import type { Taste } from './taste.ts';

/** What names an answer: any of it changes, and the answer is made anew. */
export interface ResultKey {
  tenantId: TenantId;
  versionId: ModelVersionId;
  /** Of the user's history: it changes with every interaction. */
  state: string;
  /** The state of the catalogue, where the question looks at it. */
  catalogueRevision: number;
  /** Audience, filter and exclusions. */
  question: string;
  /** How many items were ranked. */
  depth: number;
}

/** What an answer is made from. */
export interface CachedResult {
  tenantId: TenantId;
  ranked: readonly RankedItem[];
  taste: Taste | null;
}

/**
 * Rankings in memory. Nothing has to be removed when a user does something, an item is written or a version is
 * promoted: the key is then another one, and the old entry ends as the one used longest ago.
 */
export class ResultCache {
  readonly #entries: LruCache<CachedResult>;
  #hitCount = 0;
  #missCount = 0;

  /** 0 bytes keep nothing. */
  constructor({ maxBytes }: { maxBytes: number }) {
    this.#entries = new LruCache({ capacity: MOST_RESULTS, maxWeight: maxBytes });
  }

  get hitCount(): number {
    return this.#hitCount;
  }

  get missCount(): number {
    return this.#missCount;
  }

  get(key: ResultKey): CachedResult | null {
    const found = this.#entries.get(nameOf(key));
    if (found !== undefined && found.tenantId === key.tenantId) {
      this.#hitCount += 1;
      return found;
    }
    this.#missCount += 1;
    return null;
  }

  /** The names of rankings that were made for a user: states of histories end with the user's id. */
  namesOf(tenantId: TenantId, userId: UserId): string[] {
    return this.#entries.keysWhere((name) => name.startsWith(tenantId) && name.includes(`|${userId} `));
  }

  forget(names: readonly string[]): void {
    for (const name of names) this.#entries.delete(name);
  }

  set(key: ResultKey, result: CachedResult): void {
    this.#entries.set(nameOf(key), result, BYTES_PER_RESULT + result.ranked.length * BYTES_PER_ITEM);
  }
}

const MOST_RESULTS = 1_000_000;
/** A key of about 200 characters, an entry of a map and a vector that is shared with the version or small. */
const BYTES_PER_RESULT = 1_000;
const BYTES_PER_ITEM = 64;

function nameOf({ tenantId, versionId, state, catalogueRevision, question, depth }: ResultKey): string {
  return `${tenantId} ${versionId} ${state} ${catalogueRevision} ${depth} ${question}`;
}
