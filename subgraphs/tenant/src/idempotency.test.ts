import { withTenant } from '@kindred/db/tenants';
import { encodeGlobalId } from '@kindred/domain/ids';
import { scopesOfRole, type Viewer } from '@kindred/domain/viewer';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ANONYMOUS, createTestSubgraph, signUpTenant, type TestSubgraph } from './test-subgraph.ts';

interface Answer {
  userErrors: { code: string }[];
  token?: string | null;
  secret?: string | null;
  [field: string]: unknown;
}

const CALLS = 20;
const SELECTIONS: Record<string, string> = {
  inviteMember: 'invitation { id } token',
  revokeInvitation: 'invitation { id revokedAt }',
  changeMemberRole: 'member { role account { id } }',
  removeMember: 'removedAccountId',
  createApiKey: 'apiKey { id } secret',
  rotateApiKey: 'apiKey { id } secret',
  revokeApiKey: 'apiKey { id revokedAt }',
  createWebhook: 'webhook { id } secret',
  rotateWebhookSecret: 'webhook { id } secret',
  enableWebhook: 'webhook { id }',
  deleteWebhook: 'deletedWebhookId',
};

let subgraph: TestSubgraph;
beforeAll(async () => {
  subgraph = await createTestSubgraph();
});
afterAll(() => subgraph[Symbol.asyncDispose]());

async function mutate(viewer: Viewer, name: string, input: object): Promise<Answer> {
  const type = `${name[0]?.toUpperCase()}${name.slice(1)}Input!`;
  const document = `mutation ($input: ${type}) { ${name}(input: $input) { ${SELECTIONS[name] ?? 'session { accessToken }'} userErrors { code } } }`;
  const answer = (await subgraph.read<Record<string, Answer>>(viewer, document, { input }))[name];
  if (answer === undefined) throw new Error(`${name} gave no answer`);
  return answer;
}

/** A tenant with everything that a mutation may name, and another member in it. */
async function openWorld() {
  const { viewer, tenantId } = await signUpTenant(subgraph);
  const other = await signUpTenant(subgraph);
  const { token } = await mutate(viewer, 'inviteMember', { role: 'MEMBER' });
  await mutate(other.viewer, 'acceptInvitation', { token });
  const { invitation } = await mutate(viewer, 'inviteMember', { role: 'MEMBER' });
  const { apiKey } = await mutate(viewer, 'createApiKey', { name: 'Shop', kind: 'SECRET' });
  const { webhook } = await mutate(viewer, 'createWebhook', { url: 'https://hook.example/' });
  const idOf = (node: unknown) => (node as { id: string }).id;
  return {
    viewer,
    tenantId,
    accountId: encodeGlobalId('Account', other.accountId),
    invitationId: idOf(invitation),
    apiKeyId: idOf(apiKey),
    webhookId: idOf(webhook),
  };
}

type World = Awaited<ReturnType<typeof openWorld>>;

const CASES: [string, (world: World) => object][] = [
  ['inviteMember', () => ({ role: 'VIEWER' })],
  ['revokeInvitation', ({ invitationId }) => ({ invitationId })],
  ['changeMemberRole', ({ accountId }) => ({ accountId, role: 'ADMIN' })],
  ['removeMember', ({ accountId }) => ({ accountId })],
  ['rotateApiKey', ({ apiKeyId }) => ({ apiKeyId })],
  ['revokeApiKey', ({ apiKeyId }) => ({ apiKeyId })],
  ['rotateWebhookSecret', ({ webhookId }) => ({ webhookId })],
  ['enableWebhook', ({ webhookId }) => ({ webhookId })],
  ['deleteWebhook', ({ webhookId }) => ({ webhookId })],
];

const auditCount = (world: World) =>
  withTenant(subgraph.db, world.tenantId, (tx) => tx.client.auditEvent.count({ where: { tenantId: world.tenantId } }));

test.each(CASES)(
  `of ${CALLS} calls of %s with one key at once, one has an effect, all have its answer, and one has its secret`,
  async (name, inputOf) => {
    const world = await openWorld();
    const before = await auditCount(world);
    const input = { ...inputOf(world), idempotencyKey: 'once' };
    const answers = await Promise.all(Array.from({ length: CALLS }, () => mutate(world.viewer, name, input)));
    expect(await auditCount(world)).toBe(before + 1);
    const open = answers.map((answer) => JSON.stringify({ ...answer, token: null, secret: null }));
    expect(new Set(open).size).toBe(1);
    expect(answers[0]?.userErrors).toEqual([]);
    const secrets = answers.map(({ token, secret }) => token ?? secret).filter((value) => typeof value === 'string');
    expect(secrets).toHaveLength(/token|secret/.test(SELECTIONS[name] ?? '') ? 1 : 0);
    const records = await withTenant(subgraph.db, world.tenantId, (tx) =>
      tx.client.idempotencyRecord.findMany({ where: { tenantId: world.tenantId } }),
    );
    for (const secret of secrets) expect(JSON.stringify(records)).not.toContain(secret);
  },
  60_000,
);

test.each(CASES)(
  'the key of a call of %s with another input is refused, and another tenant may use it',
  async (name, inputOf) => {
    const [world, theirs] = [await openWorld(), await openWorld()];
    await mutate(world.viewer, name, { ...inputOf(world), idempotencyKey: 'once' });
    const type = `${name[0]?.toUpperCase()}${name.slice(1)}Input!`;
    const document = `mutation ($input: ${type}) { ${name}(input: $input) { userErrors { code } } }`;
    const other = name === 'inviteMember' ? { role: 'MEMBER' } : inputOf(theirs);
    const input = { ...other, idempotencyKey: 'once' };
    const { errors } = await subgraph.ask(world.viewer, document, { input });
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
    const own = await mutate(theirs.viewer, name, { ...inputOf(theirs), idempotencyKey: 'once' });
    expect(own.userErrors).toEqual([]);
  },
);

test('a weaker role does not get a first answer by its key', async () => {
  const world = await openWorld();
  await mutate(world.viewer, 'inviteMember', { role: 'VIEWER', idempotencyKey: 'once' });
  const member = { ...world.viewer, role: 'MEMBER', scopes: scopesOfRole('MEMBER') } as Viewer;
  for (const viewer of [member, ANONYMOUS]) {
    const { errors } = await subgraph.ask(
      viewer,
      'mutation { inviteMember(input: { role: VIEWER, idempotencyKey: "once" }) { invitation { id } } }',
    );
    expect(errors).toHaveLength(1);
  }
});
