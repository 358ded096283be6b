/** The entries used last, as many as fit both bounds. */
export class LruCache<V> {
  readonly #capacity: number;
  readonly #maxWeight: number;
  readonly #entries = new Map<string, { value: V; weight: number }>();
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
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  /** Keeps the value unless it alone outweighs the cache. */
  set(key: string, value: V, weight: number): void {
    this.delete(key);
    if (weight > this.#maxWeight) return;
    this.#entries.set(key, { value, weight });
    this.#weight += weight;
    // A Map keeps its entries in the order in which they were set: the first one is the one used longest ago.
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#capacity && this.#weight <= this.#maxWeight) break;
      this.delete(oldest);
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
