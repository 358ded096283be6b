import { randomUUID } from 'node:crypto';
import { scopesOfRole, type Viewer } from '@kindred/domain/viewer';
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ANONYMOUS, createTestSubgraph, signUpTenant, type TestSubgraph } from './test-subgraph.ts';

interface SignedIn {
  signIn: {
    session: { accessToken: string; expiresAt: string; viewer: object } | null;
    userErrors: { code: string; message: string; path: string[] }[];
  };
}

const SIGN_IN = `mutation ($input: SignInInput!) {
  signIn(input: $input) {
    session { accessToken expiresAt viewer { role scopes account { email } tenant { name } } }
    userErrors { code message path }
  }
}`;

let subgraph: TestSubgraph;
beforeAll(async () => {
  subgraph = await createTestSubgraph();
});
afterAll(() => subgraph[Symbol.asyncDispose]());

async function signIn(email: string, password: string): Promise<SignedIn['signIn']> {
  return (await subgraph.read<SignedIn>(ANONYMOUS, SIGN_IN, { input: { email, password } })).signIn;
}

function verify(accessToken: string) {
  const keys = createRemoteJWKSet(new URL('/.well-known/jwks.json', subgraph.url));
  return jwtVerify(accessToken, keys, { issuer: 'kindred', audience: 'kindred-api', algorithms: ['EdDSA'] });
}

test('the right password opens a session of the account in its tenant, the address in any case', async () => {
  const { email, password } = await signUpTenant(subgraph, { tenantName: 'Acme' });
  const { session, userErrors } = await signIn(` ${email.toUpperCase()}`, password);
  expect(userErrors).toEqual([]);
  const scopes = scopesOfRole('OWNER');
  expect(session?.viewer).toEqual({ role: 'OWNER', scopes, account: { email }, tenant: { name: 'Acme' } });
});

test('the access token says who, for which tenant and for 15 minutes, and verifies by the published key', async () => {
  const { email, password, accountId, tenantId } = await signUpTenant(subgraph);
  const { session } = await signIn(email, password);
  const accessToken = session?.accessToken ?? '';
  const { payload } = await verify(accessToken);
  expect(payload).toMatchObject({ sub: accountId, tenant: tenantId, role: 'OWNER' });
  expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(15 * 60);
  expect(Date.parse(session?.expiresAt ?? '')).toBe((payload.exp ?? 0) * 1000);
  expect(decodeProtectedHeader(accessToken)).toMatchObject({ alg: 'EdDSA', kid: expect.any(String) });
});

test('the token of a sign-up verifies too, and a changed one does not', async () => {
  const { accessToken, accountId } = await signUpTenant(subgraph);
  expect((await verify(accessToken)).payload.sub).toBe(accountId);
  const [header = '', payload = '', signature = ''] = accessToken.split('.');
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as object;
  const forged = Buffer.from(JSON.stringify({ ...claims, tenant: 'another' })).toString('base64url');
  await expect(verify([header, forged, signature].join('.'))).rejects.toThrow('signature verification failed');
});

test('the published keys hold nothing private', async () => {
  const response = await fetch(new URL('/.well-known/jwks.json', subgraph.url));
  expect(response.headers.get('cache-control')).toBe('public, max-age=300');
  const { keys } = (await response.json()) as { keys: object[] };
  expect(keys.map((key) => Object.keys(key).toSorted())).toEqual([['alg', 'crv', 'kid', 'kty', 'use', 'x']]);
});

test('a wrong password, an unknown address and no address at all get the same answer', async () => {
  const { email } = await signUpTenant(subgraph);
  const answers = [
    await signIn(email, 'a wrong password'),
    await signIn('nobody@example.com', 'a wrong password'),
    await signIn('no address \0', ''),
  ];
  const message = 'email and password must be those of an account, got an unknown address or a wrong password.';
  const refused = { session: null, userErrors: [{ code: 'INVALID', message, path: ['password'] }] };
  expect(answers).toEqual([refused, refused, refused]);
});

test('an unknown address takes as long as a wrong password', async () => {
  const { email } = await signUpTenant(subgraph);
  const unknownEmail = `${randomUUID()}@example.com`;
  const [known, unknown, noAddress] = await fastest([email, unknownEmail, randomUUID()]);
  // Without the decoy hash both are more than five times as fast.
  expect(unknown).toBeGreaterThan((known ?? 0) / 2);
  expect(noAddress).toBeGreaterThan((known ?? 0) / 2);
});

/** The fastest of eight refusals of each address, taken in turns, so that what else the machine does meets all of them. */
async function fastest(emails: readonly string[]): Promise<number[]> {
  const times = emails.map(() => Number.POSITIVE_INFINITY);
  for (let round = 0; round < 8; round++) {
    for (const [at, email] of emails.entries()) {
      const start = performance.now();
      await signIn(email, 'a wrong password');
      times[at] = Math.min(times[at] ?? 0, performance.now() - start);
    }
  }
  return times;
}

test('a password may be typed with composed or decomposed letters', async () => {
  const input = { tenantName: 'N', displayName: 'N', email: 'nfc@example.com', password: 'gar\u00e7on, gar\u00e7on' };
  await subgraph.read(ANONYMOUS, 'mutation ($input: SignUpInput!) { signUp(input: $input) { userErrors { code } } }', {
    input,
  });
  expect((await signIn('nfc@example.com', 'garc\u0327on, garc\u0327on')).session).not.toBeNull();
});

test('the password is kept as an argon2id hash of the stated cost alone', async () => {
  const { email, password } = await signUpTenant(subgraph);
  const { rows } = await subgraph.db.pool.query<{ password_hash: string }>(
    'SELECT password_hash FROM auth_find_sign_in($1)',
    [email],
  );
  expect(rows[0]?.password_hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  expect(rows[0]?.password_hash).not.toContain(password);
});

test('signing in needs no credential and gives none away to a viewer that has one', async () => {
  const { viewer: own } = await signUpTenant(subgraph);
  const other = await signUpTenant(subgraph, { tenantName: 'Other' });
  const viewers: Viewer[] = [ANONYMOUS, own];
  for (const viewer of viewers) {
    const input = { email: other.email, password: other.password };
    const { signIn: answer } = await subgraph.read<SignedIn>(viewer, SIGN_IN, { input });
    expect(answer.session?.viewer).toMatchObject({ account: { email: other.email }, tenant: { name: 'Other' } });
  }
});
