import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { createCallSeal, SEAL_CHARS } from './call-seal.ts';

const SECRET = 'a secret of the tests, long enough';
const seal = createCallSeal(SECRET, 'a token');

/** As RFC 2104 has it, by another implementation. */
function hmacOf(text: string): string {
  const key = createHmac('sha256', SECRET).update('kindred channel a token').digest();
  return createHmac('sha256', key).update(text).digest('base64url');
}

test.each([0, 1, 55, 56, 63, 64, 65, 500, 16_383, 16_384, 16_385, 100_000])(
  'a seal of %i characters is an HMAC',
  (length) => {
    // Of one, two, three and four bytes, one behind the other.
    for (const text of ['k'.repeat(length), 'ü'.repeat(length), '→'.repeat(length), '😀'.repeat(length / 2)]) {
      const sealed = seal.sign(text);
      expect(sealed).toBe(hmacOf(text));
      expect(sealed).toHaveLength(SEAL_CHARS);
      expect(seal.admits(Buffer.from(sealed), Buffer.from(text))).toBe(true);
    }
  },
);

test('a seal is good for nothing but its text, and a shorter text behind a longer one leaves nothing of that', () => {
  const [long, short] = ['a text that goes on for longer', 'a text'];
  const sealed = Buffer.from(seal.sign(long));
  expect(seal.sign(short)).toBe(hmacOf(short));
  expect(seal.admits(sealed, Buffer.from(long))).toBe(true);
  expect(seal.admits(sealed, Buffer.from(short))).toBe(false);
  expect(seal.admits(sealed.subarray(1), Buffer.from(long))).toBe(false);
  expect(createCallSeal(SECRET, 'another token').admits(sealed, Buffer.from(long))).toBe(false);
});
