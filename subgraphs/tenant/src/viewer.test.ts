import { encodeGlobalId, newId } from '@kindred/domain/ids';
import { scopesOfApiKeyKind, type Viewer } from '@kindred/domain/viewer';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { ANONYMOUS, createTestSubgraph, signUpTenant, type TestSubgraph } from './test-subgraph.ts';

const VIEWER = '{ viewer { role scopes account { id email } tenant { id name } } }';
const ENTITIES = `query ($representations: [_Any!]!) {
  entities: _entities(representations: $representations) {
    __typename
    ... on Tenant { id name }
    ... on Account { id displayName }
    ... on ApiKey { id preview }
  }
}`;

let subgraph: TestSubgraph;
beforeAll(async () => {
  subgraph = await createTestSubgraph();
});
afterAll(() => subgraph[Symbol.asyncDispose]());

async function createReferences(tenantName: string) {
  const { viewer, tenantId, accountId } = await signUpTenant(subgraph, { tenantName });
  const create = 'mutation { createApiKey(input: { name: "n", kind: SECRET }) { apiKey { id } } }';
  const { createApiKey } = await subgraph.read<{ createApiKey: { apiKey: { id: string } } }>(viewer, create);
  const references = [
    { __typename: 'Tenant', id: encodeGlobalId('Tenant', tenantId) },
    { __typename: 'Account', id: encodeGlobalId('Account', accountId) },
    { __typename: 'ApiKey', id: createApiKey.apiKey.id },
  ];
  return { viewer, references };
}

test('without a credential there is no viewer, and no tenant', async () => {
  expect(await subgraph.read(ANONYMOUS, VIEWER)).toEqual({ viewer: null });
  const { errors } = await subgraph.ask(ANONYMOUS, '{ tenant { name } }');
  expect(errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }]);
});

test('an account sees itself and its tenant', async () => {
  const { viewer, tenantId, accountId, email } = await signUpTenant(subgraph, { tenantName: 'Acme' });
  const tenant = { id: encodeGlobalId('Tenant', tenantId), name: 'Acme' };
  const account = { id: encodeGlobalId('Account', accountId), email };
  expect(await subgraph.read(viewer, VIEWER)).toEqual({
    viewer: { role: 'OWNER', scopes: viewer.scopes, account, tenant },
  });
  expect(await subgraph.read(viewer, '{ tenant { id name } }')).toEqual({ tenant });
});

test('an API key sees its tenant and no account', async () => {
  const { tenantId } = await signUpTenant(subgraph, { tenantName: 'Acme' });
  const scopes = scopesOfApiKeyKind('PUBLISHABLE');
  const viewer: Viewer = { kind: 'apiKey', apiKeyId: newId('ApiKey'), tenantId, scopes };
  const tenant = { id: encodeGlobalId('Tenant', tenantId), name: 'Acme' };
  expect(await subgraph.read(viewer, VIEWER)).toEqual({ viewer: { role: null, scopes, account: null, tenant } });
});

test('a credential of a tenant that is gone is told so', async () => {
  const { viewer } = await signUpTenant(subgraph);
  const orphan: Viewer = { ...viewer, tenantId: newId('Tenant') };
  const { errors } = await subgraph.ask(orphan, '{ tenant { name } }');
  expect(errors).toMatchObject([
    { message: 'The tenant of this credential is gone.', extensions: { code: 'NOT_FOUND' } },
  ]);
});

test("references to the tenant's own entities resolve in the order asked; another tenant's resolve to null", async () => {
  const own = await createReferences('Own');
  const foreign = await createReferences('Foreign');
  const representations = [...foreign.references, ...own.references.toReversed()];
  const { entities } = await subgraph.read<{ entities: unknown[] }>(own.viewer, ENTITIES, { representations });
  expect(entities).toEqual([
    null,
    null,
    null,
    ...own.references.toReversed().map((reference) => expect.objectContaining(reference)),
  ]);
});

test('ten references of one type take one transaction', async () => {
  const { viewer, references } = await createReferences('Own');
  const transaction = vi.spyOn(subgraph.db.pipelines, 'connect');
  await subgraph.read(viewer, ENTITIES, { representations: Array.from({ length: 10 }, () => references[0]) });
  expect(transaction.mock.calls).toHaveLength(1);
  transaction.mockRestore();
});

test('malformed references and those of nobody fail alone', async () => {
  const { viewer, references } = await createReferences('Own');
  const representations = [{ __typename: 'Tenant', id: 'x' }, references[0]];
  const malformed = await subgraph.ask<{ entities: unknown[] }>(viewer, ENTITIES, { representations });
  expect(malformed.data?.entities).toEqual([null, expect.objectContaining({ name: 'Own' })]);
  expect(malformed.errors).toMatchObject([{ path: ['entities', 0], extensions: { code: 'BAD_USER_INPUT' } }]);
  const anonymous = await subgraph.ask<{ entities: unknown[] }>(ANONYMOUS, ENTITIES, { representations: references });
  expect(anonymous.data?.entities).toEqual([null, null, null]);
  expect(anonymous.errors?.map(({ extensions }) => extensions.code)).toEqual(
    Array.from({ length: 3 }, () => 'UNAUTHENTICATED'),
  );
});
