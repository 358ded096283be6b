import { expect, test } from 'vitest';
import { newId } from '@kindred/domain/ids';
import { scopesOfRole } from '@kindred/domain/viewer';
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import {
  createAccessTokens,
  createSigningKey,
  type SessionSigningKeys,
  sessionSigningKeysSchema,
} from './access-tokens.ts';

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64');
}

test('created signing keys are read back from their environment value, one or several', async () => {
  const [one, two] = [await createSigningKey(), await createSigningKey()];
  expect(sessionSigningKeysSchema.parse(encode(one))).toEqual([one]);
  expect(sessionSigningKeysSchema.parse(`${encode(one)}, ${encode(two)}`)).toEqual([one, two]);
});

async function issue(keys: SessionSigningKeys) {
  const tokens = await createAccessTokens(keys);
  const [accountId, tenantId] = [newId('Account'), newId('Tenant')];
  const viewer = { kind: 'account', accountId, tenantId, role: 'OWNER', scopes: scopesOfRole('OWNER') } as const;
  return { ...(await tokens.issue(viewer, newId('Session'))), keySet: tokens.keySet };
}

test('a rotation is seamless: before, between and after, every token in use verifies, and a dropped key’s do not', async () => {
  const [old, next] = [await createSigningKey(), await createSigningKey()];
  const stages = [await issue([old]), await issue([old, next]), await issue([next, old]), await issue([next])] as const;
  const verifies = async (token: string, at: number) =>
    jwtVerify(token, createLocalJWKSet(stages[at]?.keySet ?? { keys: [] })).then(
      () => true,
      () => false,
    );
  const [before, announced, switched, after] = stages.map((stage) => stage.accessToken);
  expect(decodeProtectedHeader(announced ?? '').kid).toBe(decodeProtectedHeader(before ?? '').kid);
  expect(decodeProtectedHeader(switched ?? '').kid).not.toBe(decodeProtectedHeader(before ?? '').kid);
  for (const at of [1, 2]) {
    for (const token of [before, announced, switched, after]) expect(await verifies(token ?? '', at)).toBe(true);
  }
  expect(await verifies(before ?? '', 3)).toBe(false);
  expect(await verifies(after ?? '', 3)).toBe(true);
});

test.each([
  '',
  'rubbish',
  encode({ kty: 'OKP', crv: 'Ed25519', x: 'public only' }),
  encode({ kty: 'RSA', x: 'a', d: 'b' }),
])('%j is refused as a signing key, with what was wanted and without the value', (value) => {
  const { error } = sessionSigningKeysSchema.safeParse(value);
  const wanted = 'base64 of the JSON of a private Ed25519 JWK (kty OKP, crv Ed25519, x, d)';
  expect(error?.issues[0]?.message).toBe(`wanted ${wanted}, got ${value.length} other characters`);
});
