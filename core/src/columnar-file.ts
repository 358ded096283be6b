import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';

/**
 * A file is not what it should be. TRUNCATED: its length is not the one it states. WRONG_FORMAT: another kind of file
 * or version. CORRUPT: its bytes do not match its sha256. MALFORMED: its content contradicts itself.
 */
export class FileFormatError extends Error {
  readonly reason: 'TRUNCATED' | 'WRONG_FORMAT' | 'CORRUPT' | 'MALFORMED';

  constructor(reason: FileFormatError['reason'], message: string) {
    super(message);
    this.name = new.target.name;
    this.reason = reason;
  }
}

/** A kind of file: its first eight ASCII characters (with the version), and the error that its readers see. */
export interface FileFormat {
  readonly magic: string;
  readonly error: new (reason: FileFormatError['reason'], message: string) => FileFormatError;
}

export type Column = Int32Array | Float32Array | Float64Array | Uint8Array | Uint32Array;

const COLUMN_TYPES = {
  i32: Int32Array,
  u32: Uint32Array,
  f32: Float32Array,
  f64: Float64Array,
  u8: Uint8Array,
} as const;
type ColumnTypeName = keyof typeof COLUMN_TYPES;

interface ColumnEntry {
  name: string;
  type: ColumnTypeName;
  length: number;
  offset: number;
}

const FIXED_HEADER_BYTES = 24;
const HASH_BYTES = 32;
const ALIGNMENT = 64;
/** A millisecond's work. */
const HASHED_AT_ONCE = 2 ** 20;

/**
 * One file of named columns, little-endian: magic (8 bytes), file length (u64), header length (u64), JSON header
 * padded with spaces, columns aligned to 64 bytes, sha256 of all before.
 */
export function encodeColumns(
  format: FileFormat,
  meta: Record<string, unknown>,
  columns: Record<string, Column>,
): Uint8Array<ArrayBuffer> {
  const bytes = layOutColumns(format, { meta, columns }, (byteCount) => new Uint8Array(byteCount));
  sealColumns(bytes);
  return bytes;
}

/** Gives memory for exactly so many bytes, whatever is in them. */
export type FileMemory<Memory extends ArrayBufferLike> = (byteCount: number) => Uint8Array<Memory>;

/** The file of `encodeColumns` before its hash, in memory of the caller's; `sealColumns` makes it whole. */
export function layOutColumns<Memory extends ArrayBufferLike>(
  format: FileFormat,
  { meta, columns }: { meta: Record<string, unknown>; columns: Record<string, Column> },
  memoryFor: FileMemory<Memory>,
): Uint8Array<Memory> {
  let payloadBytes = 0;
  const entries = Object.entries(columns).map(([name, column]): ColumnEntry => {
    const offset = payloadBytes;
    payloadBytes = alignUp(offset + column.byteLength);
    return { name, type: columnTypeOf(column), length: column.length, offset };
  });
  const json = Buffer.from(JSON.stringify({ meta, columns: entries }));
  const payloadStart = alignUp(FIXED_HEADER_BYTES + json.length);
  const hashStart = payloadStart + payloadBytes;
  const bytes = memoryFor(hashStart + HASH_BYTES);
  bytes.fill(0x20, FIXED_HEADER_BYTES, payloadStart);
  bytes.set(Buffer.from(format.magic, 'ascii'));
  const fixed = new DataView(bytes.buffer, bytes.byteOffset);
  fixed.setBigUint64(8, BigInt(bytes.length), true);
  fixed.setBigUint64(16, BigInt(payloadStart - FIXED_HEADER_BYTES), true);
  bytes.set(json, FIXED_HEADER_BYTES);
  for (const entry of entries) {
    const column = columns[entry.name];
    if (!column) continue;
    const from = payloadStart + entry.offset;
    bytes.set(new Uint8Array(column.buffer, column.byteOffset, column.byteLength), from);
    bytes.fill(0, from + column.byteLength, payloadStart + alignUp(entry.offset + column.byteLength));
  }
  return bytes;
}

/** Writes the hash of a file that was laid out. @returns the sha256 of the whole file, in hex. */
export function sealColumns(bytes: Uint8Array): string {
  const hashStart = bytes.length - HASH_BYTES;
  const hash = createHash('sha256').update(bytes.subarray(0, hashStart));
  bytes.set(hash.copy().digest(), hashStart);
  return hash.update(bytes.subarray(hashStart)).digest('hex');
}

/** The checked content of a columnar file; its columns view the file's bytes where alignment allows, else copy them. */
export interface ColumnFile {
  readonly meta: Record<string, unknown>;
  /** @throws the format's error, MALFORMED, when there is no such column of this type (and `length`, where given). */
  int32(name: string, length?: number): Int32Array;
  uint32(name: string, length?: number): Uint32Array;
  float32(name: string, length?: number): Float32Array;
  float64(name: string, length?: number): Float64Array;
  bytes(name: string, length?: number): Uint8Array;
  /** @throws the format's error, MALFORMED, when `meta[name]` is not a finite number. */
  number(name: string): number;
}

/**
 * Checks length, format and hash before anything else is read; not the hash where the caller has done so, with
 * `matchesHash` or a hash of its own over all of the bytes.
 * @throws the format's error.
 */
export function decodeColumns(
  format: FileFormat,
  bytes: Uint8Array,
  { isHashChecked = false }: { readonly isHashChecked?: boolean } = {},
): ColumnFile {
  const { magic } = format;
  const found = Buffer.from(bytes.subarray(0, 8)).toString('latin1');
  if (found !== magic.slice(0, found.length)) {
    throw new format.error('WRONG_FORMAT', `Wanted a file that starts with "${magic}", got ${JSON.stringify(found)}.`);
  }
  const fixed = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const stated = bytes.length < FIXED_HEADER_BYTES + HASH_BYTES ? null : fixed.getBigUint64(8, true);
  if (stated !== BigInt(bytes.length)) {
    throw new format.error(
      'TRUNCATED',
      `"${magic}" file has ${bytes.length} bytes, wanted ${stated ?? 'at least 56'}.`,
    );
  }
  const hashStart = bytes.length - HASH_BYTES;
  if (!isHashChecked && !sha256(bytes.subarray(0, hashStart)).equals(bytes.subarray(hashStart))) {
    throw new format.error('CORRUPT', `"${magic}" file does not match its sha256.`);
  }
  const payloadStart = FIXED_HEADER_BYTES + Number(fixed.getBigUint64(16, true));
  const header = parseHeader(format, bytes.subarray(FIXED_HEADER_BYTES, payloadStart));
  return openColumns(format, header, bytes.subarray(payloadStart, hashStart));
}

/** Whether the bytes of a columnar file match the sha256 at their end; lets other work in between its megabytes. */
export async function matchesHash(bytes: Uint8Array): Promise<boolean> {
  const hashStart = Math.max(0, bytes.length - HASH_BYTES);
  const hash = createHash('sha256');
  for (let start = 0; start < hashStart; start += HASHED_AT_ONCE) {
    hash.update(bytes.subarray(start, Math.min(hashStart, start + HASHED_AT_ONCE)));
    await setImmediate();
  }
  return hash.digest().equals(bytes.subarray(hashStart));
}

interface FileHeader {
  meta: Record<string, unknown>;
  columns: ColumnEntry[];
}

function parseHeader(format: FileFormat, json: Uint8Array): FileHeader {
  try {
    return JSON.parse(Buffer.from(json).toString('utf8')) as FileHeader;
  } catch (cause) {
    throw new format.error('MALFORMED', `"${format.magic}" file has an unreadable header: ${String(cause)}.`);
  }
}

function openColumns(format: FileFormat, header: FileHeader, payload: Uint8Array): ColumnFile {
  const malformed = (message: string) => new format.error('MALFORMED', `"${format.magic}" file: ${message}`);
  function locate(type: ColumnTypeName, name: string, length?: number): ArrayPlace {
    const entry = header.columns.find((candidate) => candidate.name === name);
    if (entry?.type !== type) throw malformed(`wanted a ${type} column "${name}", got ${entry?.type ?? 'none'}.`);
    if (length !== undefined && entry.length !== length) {
      throw malformed(`column "${name}" has ${entry.length} values, wanted ${length}.`);
    }
    const size = COLUMN_TYPES[type].BYTES_PER_ELEMENT;
    const part = payload.subarray(entry.offset, entry.offset + entry.length * size);
    if (part.length !== entry.length * size) throw malformed(`column "${name}" reaches beyond the file.`);
    const place = part.byteOffset % size === 0 ? part : part.slice();
    return [place.buffer, place.byteOffset, entry.length];
  }
  return {
    meta: header.meta,
    int32: (name, length) => new Int32Array(...locate('i32', name, length)),
    uint32: (name, length) => new Uint32Array(...locate('u32', name, length)),
    float32: (name, length) => new Float32Array(...locate('f32', name, length)),
    float64: (name, length) => new Float64Array(...locate('f64', name, length)),
    bytes: (name, length) => new Uint8Array(...locate('u8', name, length)),
    number(name) {
      const value = header.meta[name];
      if (typeof value !== 'number') throw malformed(`wanted a number as "${name}", got ${JSON.stringify(value)}.`);
      return value;
    },
  };
}

type ArrayPlace = [buffer: ArrayBufferLike, byteOffset: number, length: number];

function columnTypeOf(column: Column): ColumnTypeName {
  if (column instanceof Int32Array) return 'i32';
  if (column instanceof Uint32Array) return 'u32';
  if (column instanceof Float32Array) return 'f32';
  return column instanceof Float64Array ? 'f64' : 'u8';
}

function alignUp(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}
