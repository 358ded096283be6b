/** A set of row numbers below `size`, one bit each. */
export class RowSet {
  readonly size: number;
  readonly #words: Uint32Array;

  constructor(size: number, rows: Iterable<number> = []) {
    this.size = size;
    this.#words = new Uint32Array(Math.ceil(size / 32));
    this.add(rows);
  }

  add(rows: Iterable<number>): void {
    for (const row of rows) {
      const word = row >>> 5;
      this.#words[word] = (this.#words[word] ?? 0) | (1 << (row & 31));
    }
  }

  has(row: number): boolean {
    return row >= 0 && row < this.size && ((this.#words[row >>> 5] ?? 0) & (1 << (row & 31))) !== 0;
  }

  and(other: RowSet): RowSet {
    return this.#combine(other, (own, theirs) => own & theirs);
  }

  or(other: RowSet): RowSet {
    return this.#combine(other, (own, theirs) => own | theirs);
  }

  without(other: RowSet): RowSet {
    return this.#combine(other, (own, theirs) => own & ~theirs);
  }

  /** Ascending. */
  *rows(): Generator<number> {
    for (const [index, word] of this.#words.entries()) {
      for (let rest = word; rest !== 0; rest &= rest - 1) yield index * 32 + 31 - Math.clz32(rest & -rest);
    }
  }

  #combine(other: RowSet, join: (own: number, theirs: number) => number): RowSet {
    const result = new RowSet(this.size);
    for (const [index, word] of this.#words.entries()) result.#words[index] = join(word, other.#words[index] ?? 0);
    return result;
  }
}
