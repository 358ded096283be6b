import { expect, test } from 'vitest';
import { createSigningKey, sessionSigningKeySchema } from './access-tokens.ts';

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64');
}

test('a created signing key is read back from its environment value', async () => {
  const key = await createSigningKey();
  expect(sessionSigningKeySchema.parse(encode(key))).toEqual(key);
});

test.each([
  '',
  'rubbish',
  encode({ kty: 'OKP', crv: 'Ed25519', x: 'public only' }),
  encode({ kty: 'RSA', x: 'a', d: 'b' }),
])('%j is refused as a signing key, with what was wanted and without the value', (value) => {
  const { error } = sessionSigningKeySchema.safeParse(value);
  const wanted = 'base64 of the JSON of a private Ed25519 JWK (kty OKP, crv Ed25519, x, d)';
  expect(error?.issues[0]?.message).toBe(`wanted ${wanted}, got ${value.length} other characters`);
});
