import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { appendFile, open } from 'node:fs/promises';
import { VectorIndexError } from './index-contract.ts';

/**
 * What is known of an index beyond FAISS's own format. It stands behind FAISS's bytes, where FAISS does not look, so
 * that other FAISS programs read the file: JSON, its length (u32, little-endian), sha256 of all before, magic.
 */
export interface IndexTrailer {
  readonly factory: string;
  readonly recallAt20: number | null;
  readonly reason: string | null;
}

const MAGIC = 'KNDFAIS1';
const HASH_BYTES = 32;
const END_BYTES = 4 + HASH_BYTES + MAGIC.length;

/** Appends the trailer to a file that FAISS has written. */
export async function appendTrailer(path: string, trailer: IndexTrailer): Promise<void> {
  const json = Buffer.from(JSON.stringify(trailer));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(json.length);
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  const digest = hash.update(json).update(length).digest();
  await appendFile(path, Buffer.concat([json, length, digest, Buffer.from(MAGIC, 'ascii')]));
}

/**
 * The trailer of an index file after its sha256 was checked; null for a file without one (another program's).
 * @throws VectorIndexError UNREADABLE when there is no such file or the hash does not match.
 */
export async function readTrailer(path: string): Promise<IndexTrailer | null> {
  const { size, end } = await readEnd(path);
  if (size < END_BYTES || end.subarray(-MAGIC.length).toString('latin1') !== MAGIC) return null;
  const jsonLength = end.readUInt32LE(0);
  const hashStart = size - MAGIC.length - HASH_BYTES;
  const jsonStart = hashStart - 4 - jsonLength;
  const hash = createHash('sha256');
  const json: Buffer[] = [];
  let at = 0;
  for await (const chunk of createReadStream(path, { end: hashStart - 1 })) {
    const bytes = chunk as Buffer;
    hash.update(bytes);
    const from = Math.max(0, jsonStart - at);
    if (from < bytes.length) json.push(bytes.subarray(from));
    at += bytes.length;
  }
  if (!hash.digest().equals(end.subarray(4, 4 + HASH_BYTES))) {
    throw new VectorIndexError('UNREADABLE', `${path} does not match its sha256.`);
  }
  const trailer = JSON.parse(Buffer.concat(json).subarray(0, jsonLength).toString('utf8')) as IndexTrailer;
  // Files of an earlier release have no reason.
  return { ...trailer, reason: trailer.reason ?? null };
}

async function readEnd(path: string): Promise<{ size: number; end: Buffer }> {
  try {
    await using file = await open(path, 'r');
    const { size } = await file.stat();
    const end = Buffer.alloc(Math.min(size, END_BYTES));
    await file.read(end, 0, end.length, size - end.length);
    return { size, end };
  } catch (cause) {
    throw new VectorIndexError('UNREADABLE', `${path}: ${String(cause)}`, { cause });
  }
}
