import { createHmac, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { ApiKeyKind } from '@kindred/domain/viewer';

const PREFIX_BY_KIND: Record<ApiKeyKind, string> = { PUBLISHABLE: 'kp_', SECRET: 'ks_' };
// Crockford's alphabet: no i, l, o, u.
const BASE32 = '0123456789abcdefghjkmnpqrstvwxyz';
const RANDOM_CHARS = 26;
const CHECKSUM_CHARS = 6;
const SHAPE = /^k[ps]_[0-9a-hjkmnp-tv-z]{32}$/;

/** A new API key: a kind prefix, 128 random bits and a checksum that tells a mistyped key without a look-up. */
export function newApiKeySecret(kind: ApiKeyKind): string {
  const random = encodeBase32(BigInt(`0x${randomBytes(16).toString('hex')}`), RANDOM_CHARS);
  const body = PREFIX_BY_KIND[kind] + random;
  return body + checksum(body);
}

/** Whether this can be an API key at all: its shape and checksum fit. */
export function isApiKeySecret(candidate: string): boolean {
  return SHAPE.test(candidate) && checksum(candidate.slice(0, -CHECKSUM_CHARS)) === candidate.slice(-CHECKSUM_CHARS);
}

/** What the database keeps instead of the key: HMAC-SHA256 (128 random bits need no slow hash). */
export function digestApiKey(pepper: string, secret: string): Buffer<ArrayBuffer> {
  return createHmac('sha256', pepper).update(secret).digest();
}

/** The first characters, to recognise a key by: 25 of its 128 random bits. */
export function previewApiKey(secret: string): string {
  return secret.slice(0, 8);
}

function checksum(body: string): string {
  return encodeBase32(BigInt(crc32(body)), CHECKSUM_CHARS);
}

/** The lowest `5 * length` bits of `value`, most significant first. */
function encodeBase32(value: bigint, length: number): string {
  let text = '';
  for (let rest = value; text.length < length; rest >>= 5n) text = BASE32.charAt(Number(rest & 31n)) + text;
  return text;
}
