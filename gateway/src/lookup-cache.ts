/** Answers of a slow look-up, each kept for `ttlMs`; whoever asks while one is under way shares it. Failures are not kept. */
export class LookupCache<T> {
  readonly #ttlMs: number;
  readonly #capacity: number;
  readonly #entries = new Map<string, { answer: Promise<T>; expiresAtMs: number }>();

  constructor({ ttlMs, capacity }: { ttlMs: number; capacity: number }) {
    this.#ttlMs = ttlMs;
    this.#capacity = capacity;
  }

  async get(key: string, lookUp: () => Promise<T>): Promise<T> {
    const known = this.#entries.get(key);
    if (known !== undefined && known.expiresAtMs > Date.now()) return await this.#use(key, known);
    const entry = { answer: lookUp(), expiresAtMs: Date.now() + this.#ttlMs };
    try {
      return await this.#use(key, entry);
    } catch (error) {
      if (this.#entries.get(key) === entry) this.#entries.delete(key);
      throw error;
    }
  }

  /** A Map keeps its entries in the order in which they were set: the first one is the one used longest ago. */
  #use(key: string, entry: { answer: Promise<T>; expiresAtMs: number }): Promise<T> {
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > this.#capacity && oldest !== undefined) this.#entries.delete(oldest);
    return entry.answer;
  }
}
