/** A record may have this many bytes; a longer one is skipped without being held in memory. */
export const MAX_RECORD_BYTES = 2 ** 20;

const [NEWLINE, QUOTE, RETURN] = [10, 34, 13];

/** One record of a file: a line, or where quotes may hold line ends as many lines as it goes over. */
export interface FileRecord {
  /** The line that it begins on, from 1. */
  line: number;
  /** Its bytes without the line end, or why there is no record here. */
  content: { bytes: Buffer } | { problem: string };
  /** Where the next record begins in the file, and on which line. */
  end: number;
  nextLine: number;
}

/** Cuts the bytes of a file, as they come, into records. One that cannot be is one line, and what follows it is cut anew. */
export class RecordCutter {
  readonly #isQuoted: boolean;
  #rest: Buffer = Buffer.alloc(0);
  #position: number;
  #line: number;
  /** Inside a line that is too long. */
  #isSkipping = false;

  constructor({ position, line, isQuoted }: { position: number; line: number; isQuoted: boolean }) {
    this.#position = position;
    this.#line = line;
    this.#isQuoted = isQuoted;
  }

  /** The records that are whole with these bytes. */
  push(bytes: Buffer): FileRecord[] {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    return [...this.#cut(false)];
  }

  /** The record that no line end follows, if there is one. */
  end(): FileRecord[] {
    return [...this.#cut(true)];
  }

  *#cut(isLast: boolean): Generator<FileRecord> {
    let start = 0;
    while (start < this.#rest.length) {
      const length = this.#isSkipping ? null : this.#measure(start, isLast);
      if (length === 'unfinished') break;
      if (length !== null) {
        yield this.#take(start, length, { bytes: withoutReturn(this.#rest.subarray(start, start + length.bytes)) });
        start += length.bytes + 1;
        continue;
      }
      const newline = this.#rest.indexOf(NEWLINE, start);
      if (newline === -1 && !isLast) {
        this.#isSkipping = true;
        this.#position += this.#rest.length - start;
        start = this.#rest.length;
        break;
      }
      const bytes = (newline === -1 ? this.#rest.length : newline) - start;
      this.#isSkipping = false;
      yield this.#take(start, { bytes, newlines: 0 }, { problem: TOO_LONG });
      start += bytes + 1;
    }
    this.#rest = this.#rest.subarray(start);
    if (isLast && this.#isSkipping) yield this.#take(0, { bytes: 0, newlines: 0 }, { problem: TOO_LONG });
  }

  /** How long the record is that begins at `start`; null for one that is too long or whose quote does not close. */
  #measure(start: number, isLast: boolean): RecordLength | null | 'unfinished' {
    let isOpen = false;
    let newlines = 0;
    for (let from = start; ; newlines++) {
      const newline = this.#rest.indexOf(NEWLINE, from);
      const to = newline === -1 ? this.#rest.length : newline;
      if (to - start > MAX_RECORD_BYTES) return null;
      if (newline === -1 && !isLast) return 'unfinished';
      if (this.#isQuoted) isOpen = countQuotes(this.#rest, from, to) % 2 === 1 ? !isOpen : isOpen;
      if (!isOpen) return { bytes: to - start, newlines };
      if (newline === -1) return null;
      from = newline + 1;
    }
  }

  #take(start: number, { bytes, newlines }: RecordLength, content: FileRecord['content']): FileRecord {
    const line = this.#line;
    const isEnded = start + bytes < this.#rest.length;
    this.#position += bytes + (isEnded ? 1 : 0);
    this.#line += newlines + 1;
    return { line, content, end: this.#position, nextLine: this.#line };
  }
}

interface RecordLength {
  bytes: number;
  /** Line ends within it. */
  newlines: number;
}

const TOO_LONG = `The row is longer than ${MAX_RECORD_BYTES.toLocaleString('en')} bytes, or a quote in it is not closed.`;

function countQuotes(bytes: Buffer, from: number, to: number): number {
  let count = 0;
  for (let at = bytes.indexOf(QUOTE, from); at !== -1 && at < to; at = bytes.indexOf(QUOTE, at + 1)) count++;
  return count;
}

function withoutReturn(bytes: Buffer): Buffer {
  return bytes.at(-1) === RETURN ? bytes.subarray(0, -1) : bytes;
}
