interface Entry<V> {
  value: V;
  weight: number;
  /** Whether it was used since it was set or last spared. */
  isUsed: boolean;
}

/** Where all are in use, to look for one that is not would hold up whoever sets one. */
const MOST_SPARED = 100;

/**
 * The entries used last, as many as fit both bounds. What was used since it last came to be the oldest is spared once
 * ("second chance"): a use is a mark, where the exact order would cost a delete and an insert each time.
 */
export class LruCache<V> {
  readonly #capacity: number;
  readonly #maxWeight: number;
  readonly #entries = new Map<string, Entry<V>>();
  #weight = 0;

  constructor({ capacity, maxWeight }: { capacity: number; maxWeight: number }) {
    this.#capacity = capacity;
    this.#maxWeight = maxWeight;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): V | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    entry.isUsed = true;
    return entry.value;
  }

  /** Keeps the value unless it alone outweighs the cache. */
  set(key: string, value: V, weight: number): void {
    this.delete(key);
    if (weight > this.#maxWeight) return;
    this.#makeRoom(weight);
    this.#entries.set(key, { value, weight, isUsed: false });
    this.#weight += weight;
  }

  #makeRoom(weight: number): void {
    let spared = 0;
    // A Map keeps its entries in the order in which they were set; what is set again meanwhile comes up once more.
    for (const [key, entry] of this.#entries) {
      if (this.#entries.size < this.#capacity && this.#weight + weight <= this.#maxWeight) return;
      if (entry.isUsed && spared < MOST_SPARED) {
        spared += 1;
        entry.isUsed = false;
        this.#entries.delete(key);
        this.#entries.set(key, entry);
      } else {
        this.delete(key);
      }
    }
  }

  /** The keys of all entries that are such; how long ago each was used stays as it is. */
  keysWhere(isSuch: (key: string, value: V) => boolean): string[] {
    return [...this.#entries].flatMap(([key, { value }]) => (isSuch(key, value) ? [key] : []));
  }

  delete(key: string): void {
    this.#weight -= this.#entries.get(key)?.weight ?? 0;
    this.#entries.delete(key);
  }
}
