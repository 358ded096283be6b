import { setOperator } from '@kindred/db/operators';
import { encodeGlobalId } from '@kindred/domain/ids';
import { scopesOfRole, type Role, type Viewer } from '@kindred/domain/viewer';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ANONYMOUS, createTestSubgraph, signUpTenant, type TestSubgraph } from './test-subgraph.ts';

type SignedUp = Awaited<ReturnType<typeof signUpTenant>>;
interface Payload {
  userErrors: { code: string; message: string; path: string[] }[];
}
interface SessionPayload extends Payload {
  session: { refreshToken: string; viewer: { role: Role; tenant: { id: string }; account: { id: string } } } | null;
}

const ERRORS = 'userErrors { code message path }';
const SESSION = 'session { refreshToken viewer { role tenant { id } account { id } } }';

let subgraph: TestSubgraph;
beforeAll(async () => {
  subgraph = await createTestSubgraph();
});
afterAll(() => subgraph[Symbol.asyncDispose]());

/** Runs one mutation by its name. */
async function mutate<P extends Payload>(
  viewer: Viewer,
  name: string,
  { input, answer }: { input: object; answer: string },
) {
  const type = `${name[0]?.toUpperCase()}${name.slice(1)}Input!`;
  const document = `mutation ($input: ${type}) { ${name}(input: $input) { ${answer} ${ERRORS} } }`;
  return (await subgraph.read<Record<string, P>>(viewer, document, { input }))[name] as P;
}

const invite = (viewer: Viewer, input: object) =>
  mutate<Payload & { token: string | null; invitation: { id: string } | null }>(viewer, 'inviteMember', {
    input,
    answer: 'token invitation { id role }',
  });
const accept = (viewer: Viewer, input: object) =>
  mutate<SessionPayload>(viewer, 'acceptInvitation', { input, answer: SESSION });
const newAccount = (email = `${crypto.randomUUID()}@example.com`) => ({
  email,
  password: 'correct horse battery',
  displayName: 'Bo',
});

/** Somebody of this role who joined the tenant by an invitation. */
async function join(owner: SignedUp, role: Role): Promise<Viewer & { kind: 'account' }> {
  const { token } = await invite(owner.viewer, { role });
  const other = await signUpTenant(subgraph);
  const { session } = await accept(other.viewer, { token });
  expect(session?.viewer.role).toBe(role);
  return { kind: 'account', role, scopes: scopesOfRole(role), tenantId: owner.tenantId, accountId: other.accountId };
}

test('an invitation makes a new account or a signed-in one a member, once each, and signs it in there', async () => {
  const owner = await signUpTenant(subgraph);
  const tenant = { id: encodeGlobalId('Tenant', owner.tenantId) };
  const { token, userErrors } = await invite(owner.viewer, { role: 'MEMBER' });
  expect(userErrors).toEqual([]);
  const joined = await accept(ANONYMOUS, { token, newAccount: newAccount() });
  expect(joined.session?.viewer).toMatchObject({ role: 'MEMBER', tenant });
  expect(await accept(ANONYMOUS, { token, newAccount: newAccount() })).toMatchObject({
    session: null,
    userErrors: [{ code: 'NOT_FOUND', path: ['token'] }],
  });
  await join(owner, 'VIEWER');
});

test('of 20 who take one link at once, one joins', async () => {
  const owner = await signUpTenant(subgraph);
  const { token } = await invite(owner.viewer, { role: 'ADMIN' });
  const others = await Promise.all(Array.from({ length: 5 }, () => signUpTenant(subgraph)));
  const takers = Array.from({ length: 20 }, (_, n) => others[n % 5]?.viewer ?? ANONYMOUS);
  const answers = await Promise.all(takers.map((viewer) => accept(viewer, { token })));
  expect(answers.filter(({ session }) => session !== null)).toHaveLength(1);
});

test.each([
  [{ token: 'ki_unknown', newAccount: newAccount() }, 'NOT_FOUND', ['token']],
  [{ token: 'x' }, 'INVALID', ['newAccount']],
  [{ token: 'x', newAccount: { ...newAccount(), password: 'short' } }, 'INVALID', ['newAccount', 'password']],
  [{ token: 'x', newAccount: newAccount('no address') }, 'INVALID', ['newAccount', 'email']],
])('accepting %j is refused with what was wanted', async (input, code, path) => {
  expect(await accept(ANONYMOUS, input)).toMatchObject({ session: null, userErrors: [{ code, path }] });
});

test('an invitation that was withdrawn, or is for a taken address or a member, makes nobody a member', async () => {
  const owner = await signUpTenant(subgraph);
  const { token, invitation } = await invite(owner.viewer, { role: 'MEMBER' });
  expect(await accept(owner.viewer, { token })).toMatchObject({ userErrors: [{ code: 'CONFLICT' }] });
  const taken = newAccount(owner.email);
  expect(await accept(ANONYMOUS, { token, newAccount: taken })).toMatchObject({ userErrors: [{ code: 'TAKEN' }] });
  const revoke = (viewer: Viewer) =>
    mutate(viewer, 'revokeInvitation', { input: { invitationId: invitation?.id }, answer: 'invitation { revokedAt }' });
  const { viewer: foreign } = await signUpTenant(subgraph);
  expect(await revoke(foreign)).toMatchObject({ userErrors: [{ code: 'NOT_FOUND' }] });
  expect(await revoke(owner.viewer)).toMatchObject({ userErrors: [] });
  expect(await accept(ANONYMOUS, { token, newAccount: newAccount() })).toMatchObject({
    userErrors: [{ code: 'NOT_FOUND' }],
  });
});

test('an admin makes no owners and touches none; nobody gives the role OPERATOR', async () => {
  const owner = await signUpTenant(subgraph);
  const admin = await join(owner, 'ADMIN');
  const ownerId = encodeGlobalId('Account', owner.accountId);
  const refused = { userErrors: [{ code: 'INVALID', path: ['role'] }] };
  expect(await invite(admin, { role: 'OWNER' })).toMatchObject(refused);
  expect(await invite(owner.viewer, { role: 'OPERATOR' })).toMatchObject(refused);
  const change = (input: object) => mutate(admin, 'changeMemberRole', { input, answer: 'member { role }' });
  expect(await change({ accountId: encodeGlobalId('Account', admin.accountId), role: 'OWNER' })).toMatchObject(refused);
  expect(await change({ accountId: ownerId, role: 'VIEWER' })).toMatchObject({ userErrors: [{ code: 'CONFLICT' }] });
  const input = { accountId: ownerId };
  expect(await mutate(admin, 'removeMember', { input, answer: 'removedAccountId' })).toMatchObject({
    userErrors: [{ code: 'CONFLICT' }],
  });
});

test('a tenant keeps its last owner, also when two owners remove each other at once', async () => {
  const owner = await signUpTenant(subgraph);
  const ownId = encodeGlobalId('Account', owner.accountId);
  const remove = (viewer: Viewer, accountId: string) =>
    mutate(viewer, 'removeMember', { input: { accountId }, answer: 'removedAccountId' });
  expect(await remove(owner.viewer, ownId)).toMatchObject({ userErrors: [{ code: 'CONFLICT' }] });
  const second = await join(owner, 'OWNER');
  const answers = await Promise.all([
    remove(owner.viewer, encodeGlobalId('Account', second.accountId)),
    remove(second, ownId),
  ]);
  expect(answers.filter(({ userErrors }) => userErrors.length === 0)).toHaveLength(1);
});

test('a changed role holds from the next refresh on, and a removed member has no session left', async () => {
  const owner = await signUpTenant(subgraph);
  const { token } = await invite(owner.viewer, { role: 'ADMIN' });
  const { session } = await accept(ANONYMOUS, { token, newAccount: newAccount() });
  const accountId = session?.viewer.account.id ?? '';
  const change = { input: { accountId, role: 'VIEWER' }, answer: 'member { role account { id } }' };
  expect(await mutate(owner.viewer, 'changeMemberRole', change)).toMatchObject({ member: { role: 'VIEWER' } });
  const refresh = (refreshToken: string | undefined) =>
    mutate<SessionPayload>(ANONYMOUS, 'refreshSession', { input: { refreshToken }, answer: SESSION });
  const refreshed = await refresh(session?.refreshToken);
  expect(refreshed.session?.viewer.role).toBe('VIEWER');
  await mutate(owner.viewer, 'removeMember', { input: { accountId }, answer: 'removedAccountId' });
  expect(await refresh(refreshed.session?.refreshToken)).toMatchObject({ session: null });
});

test('an account switches between its own tenants; any other does not exist for it', async () => {
  const [owner, other] = [await signUpTenant(subgraph), await signUpTenant(subgraph)];
  const member = await join(owner, 'MEMBER');
  const to = (tenantId: string) => ({ input: { tenantId }, answer: SESSION });
  const own = encodeGlobalId('Tenant', owner.tenantId);
  expect(await mutate<SessionPayload>(member, 'switchTenant', to(own))).toMatchObject({
    session: { viewer: { role: 'MEMBER', tenant: { id: own } } },
  });
  for (const tenantId of [encodeGlobalId('Tenant', other.tenantId), `ten_${'0'.repeat(32)}`]) {
    expect(await mutate<SessionPayload>(member, 'switchTenant', to(tenantId))).toMatchObject({
      session: null,
      userErrors: [{ code: 'NOT_FOUND' }],
    });
  }
});

test('an operator reads a tenant for 15 minutes, told in its audit log; nobody else enters', async () => {
  const [operator, tenant] = [await signUpTenant(subgraph), await signUpTenant(subgraph)];
  const input = { tenantId: encodeGlobalId('Tenant', tenant.tenantId), reason: 'Ticket 4711: an import that hangs' };
  const ENTER =
    'mutation ($input: EnterTenantInput!) { enterTenant(input: $input) { accessToken userErrors { code } } }';
  const { errors } = await subgraph.ask(operator.viewer, ENTER, { input });
  expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
  await setOperator(subgraph.ownerUrl, operator.email, true);
  const { enterTenant } = await subgraph.read<{ enterTenant: { accessToken: string } }>(operator.viewer, ENTER, {
    input,
  });
  const claims = decodeJwt(enterTenant.accessToken);
  expect(claims).toMatchObject({ role: 'OPERATOR', tenant: tenant.tenantId, sub: operator.accountId });
  expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(15 * 60);
  const LOG = '{ tenant { auditEvents(first: 1) { edges { node { actorKind actorId action details } } } } }';
  expect(await subgraph.read(tenant.viewer, LOG)).toMatchObject({
    tenant: {
      auditEvents: {
        edges: [
          {
            node: {
              actorKind: 'OPERATOR',
              actorId: encodeGlobalId('Account', operator.accountId),
              action: 'enterTenant',
              details: JSON.stringify({ reason: input.reason }),
            },
          },
        ],
      },
    },
  });
  const short = { ...input, reason: 'because' };
  expect(await subgraph.read(operator.viewer, ENTER, { input: short })).toMatchObject({
    enterTenant: { accessToken: null, userErrors: [{ code: 'INVALID' }] },
  });
});

test('the audit log tells what was done, page by page, to its own tenant alone', async () => {
  const [owner, foreign] = [await signUpTenant(subgraph), await signUpTenant(subgraph)];
  const { invitation } = await invite(owner.viewer, { role: 'MEMBER' });
  const input = { invitationId: invitation?.id };
  await mutate(owner.viewer, 'revokeInvitation', { input, answer: 'invitation { id }' });
  const LOG = `query ($after: String) { tenant { auditEvents(first: 2, after: $after) {
    edges { cursor node { sequence action } } pageInfo { hasNextPage endCursor } } } }`;
  interface Log {
    tenant: { auditEvents: { edges: { cursor: string; node: { action: string } }[]; pageInfo: { endCursor: string } } };
  }
  const { tenant: page } = await subgraph.read<Log>(owner.viewer, LOG);
  const after = page.auditEvents.pageInfo.endCursor;
  const { tenant: rest } = await subgraph.read<Log>(owner.viewer, LOG, { after });
  const actions = [...page.auditEvents.edges, ...rest.auditEvents.edges].map(({ node }) => node.action);
  expect(actions).toEqual(['revokeInvitation', 'inviteMember', 'openSession']);
  const { tenant: theirs } = await subgraph.read<Log>(foreign.viewer, LOG);
  expect(theirs.auditEvents.edges.map(({ node }) => node.action)).toEqual(['openSession']);
  const CHAIN =
    '{ tenant { auditChain { eventCount head problem } auditEvents(first: 1) { edges { node { hash } } } } }';
  const { tenant: chained } = await subgraph.read<{
    tenant: { auditChain: { head: string }; auditEvents: { edges: [{ node: { hash: string } }] } };
  }>(owner.viewer, CHAIN);
  expect(chained.auditChain).toMatchObject({ eventCount: 3, problem: null });
  expect(chained.auditChain.head).toBe(chained.auditEvents.edges[0].node.hash);
});

test('members, viewers and operators manage nobody', async () => {
  const owner = await signUpTenant(subgraph);
  for (const role of ['MEMBER', 'VIEWER', 'OPERATOR'] as const) {
    const viewer: Viewer = {
      ...owner.viewer,
      kind: 'account',
      accountId: owner.accountId,
      tenantId: owner.tenantId,
      role,
      scopes: scopesOfRole(role),
    };
    const answers = await Promise.all(
      [
        'mutation { inviteMember(input: { role: VIEWER }) { token } }',
        'mutation { removeMember(input: { accountId: "x" }) { removedAccountId } }',
        '{ tenant { members { edges { cursor } } } }',
        '{ tenant { auditEvents { edges { cursor } } } }',
      ].map((document) => subgraph.ask(viewer, document)),
    );
    for (const { errors } of answers) expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
  }
});
