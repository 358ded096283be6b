import { scopesOfApiKeyKind, type Viewer } from '@kindred/domain/viewer';
import { newId } from '@kindred/domain/ids';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ANONYMOUS, createTestSubgraph, signUpTenant, type TestSubgraph } from './test-subgraph.ts';

interface Tokens {
  accessToken: string;
  expiresAt: string;
  refreshToken: string;
  refreshExpiresAt: string;
}
interface Refreshed {
  session: (Tokens & { viewer: { role: string } }) | null;
  userErrors: { code: string; path: string[] }[];
}

const TOKENS = 'accessToken expiresAt refreshToken refreshExpiresAt';
const SIGN_IN = `mutation ($input: SignInInput!) { signIn(input: $input) { session { ${TOKENS} } } }`;
const REFRESH = `mutation ($input: RefreshSessionInput!) {
  refreshSession(input: $input) { session { ${TOKENS} viewer { role } } userErrors { code message path } }
}`;
const SIGN_OUT = 'mutation ($input: SignOutInput!) { signOut(input: $input) { endedSessionCount } }';
const EVERYWHERE = { input: { refreshToken: 'any', everywhere: true } };

let subgraph: TestSubgraph;
beforeAll(async () => {
  subgraph = await createTestSubgraph();
});
afterAll(() => subgraph[Symbol.asyncDispose]());

async function signIn({ email, password }: { email: string; password: string }): Promise<Tokens> {
  const answer = await subgraph.read<{ signIn: { session: Tokens } }>(ANONYMOUS, SIGN_IN, {
    input: { email, password },
  });
  return answer.signIn.session;
}

async function refresh(refreshToken: string): Promise<Refreshed> {
  const input = { refreshToken };
  return (await subgraph.read<{ refreshSession: Refreshed }>(ANONYMOUS, REFRESH, { input })).refreshSession;
}

const refusedWith = (code: string) => ({ session: null, userErrors: [{ code, path: ['refreshToken'] }] });

test('a refresh token lasts seven days and gives new tokens of the same session, without a credential', async () => {
  const first = await signIn(await signUpTenant(subgraph));
  expect(Date.parse(first.refreshExpiresAt) - Date.now()).toBeGreaterThan(7 * 24 * 3_600_000 - 60_000);
  expect(Date.parse(first.refreshExpiresAt) - Date.now()).toBeLessThanOrEqual(7 * 24 * 3_600_000);
  const { session, userErrors } = await refresh(first.refreshToken);
  expect(userErrors).toEqual([]);
  expect(session?.viewer.role).toBe('OWNER');
  expect(session?.refreshToken).not.toBe(first.refreshToken);
  expect(decodeJwt(session?.accessToken ?? '')).toMatchObject({ sid: decodeJwt(first.accessToken).sid });
});

test('50 parallel refreshes give one success, and the session goes on from it', async () => {
  const { refreshToken } = await signIn(await signUpTenant(subgraph));
  const answers = await Promise.all(Array.from({ length: 50 }, () => refresh(refreshToken)));
  const [won, ...others] = answers.filter(({ session }) => session !== null);
  expect(others).toEqual([]);
  expect(answers.filter(({ userErrors }) => userErrors[0]?.code === 'CONFLICT')).toHaveLength(49);
  expect((await refresh(won?.session?.refreshToken ?? '')).session).not.toBeNull();
});

test('a token that is used again after the grace ends the whole session', async () => {
  const owner = await signUpTenant(subgraph);
  const { refreshToken } = await signIn(owner);
  const { session } = await refresh(refreshToken);
  await subgraph.db.prisma.$transaction(async (tx) => {
    await tx.$queryRaw`SELECT set_config('app.tenant_id', ${owner.tenantId}, true)`;
    await tx.$executeRaw`UPDATE refresh_tokens SET used_at = used_at - interval '11 seconds'`;
  });
  expect(await refresh(refreshToken)).toMatchObject(refusedWith('INVALID'));
  expect(await refresh(session?.refreshToken ?? '')).toMatchObject(refusedWith('INVALID'));
});

test.each(['', 'kr_', 'kr_\0', 'x'.repeat(10_000)])('the refresh token %j is refused', async (refreshToken) => {
  expect(await refresh(refreshToken)).toMatchObject(refusedWith('INVALID'));
});

test('an access token is no refresh token, and the database holds neither', async () => {
  const owner = await signUpTenant(subgraph);
  const { accessToken, refreshToken } = await signIn(owner);
  expect(await refresh(accessToken)).toMatchObject(refusedWith('INVALID'));
  const rows = await subgraph.db.prisma.$transaction(async (tx) => {
    await tx.$queryRaw`SELECT set_config('app.tenant_id', ${owner.tenantId}, true)`;
    return tx.$queryRaw<{ row: string }[]>`SELECT to_jsonb(t)::text || to_jsonb(s)::text AS row
      FROM refresh_tokens t JOIN sessions s ON s.id = t.session_id`;
  });
  expect(rows.length).toBeGreaterThan(0);
  for (const { row } of rows) expect(row).not.toContain(refreshToken.slice(3));
});

test('signing out ends this session alone; signing out everywhere ends them all', async () => {
  const owner = await signUpTenant(subgraph);
  const [phone, laptop, desk] = [await signIn(owner), await signIn(owner), await signIn(owner)];
  const input = { refreshToken: phone.refreshToken };
  expect(await subgraph.read(ANONYMOUS, SIGN_OUT, { input })).toEqual({ signOut: { endedSessionCount: 1 } });
  expect(await subgraph.read(ANONYMOUS, SIGN_OUT, { input })).toEqual({ signOut: { endedSessionCount: 0 } });
  expect(await refresh(phone.refreshToken)).toMatchObject(refusedWith('INVALID'));
  const { session } = await refresh(laptop.refreshToken);
  // Three are open: the sign-up's, the laptop's and the desk's.
  expect(await subgraph.read(owner.viewer, SIGN_OUT, EVERYWHERE)).toEqual({
    signOut: { endedSessionCount: 3 },
  });
  expect(await refresh(session?.refreshToken ?? '')).toMatchObject(refusedWith('INVALID'));
  expect(await refresh(desk.refreshToken)).toMatchObject(refusedWith('INVALID'));
});

test('nobody but a signed-in account signs out everywhere, and another account’s sessions stay', async () => {
  const [owner, other] = [await signUpTenant(subgraph), await signUpTenant(subgraph)];
  const { refreshToken } = await signIn(owner);
  const apiKey: Viewer = {
    kind: 'apiKey',
    apiKeyId: newId('ApiKey'),
    tenantId: owner.tenantId,
    scopes: scopesOfApiKeyKind('SECRET'),
  };
  for (const viewer of [ANONYMOUS, apiKey]) {
    const { errors } = await subgraph.ask(viewer, SIGN_OUT, EVERYWHERE);
    expect(errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }]);
  }
  await subgraph.read(other.viewer, SIGN_OUT, EVERYWHERE);
  expect((await refresh(refreshToken)).session).not.toBeNull();
});
