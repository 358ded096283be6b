import { encodeGlobalId, newId } from '@kindred/domain/ids';
import { scopesOfApiKeyKind, type Viewer } from '@kindred/domain/viewer';
import { seedCheckerboard } from '@kindred/testing/checkerboard';
import { createTestTenant } from '@kindred/testing/test-tenant';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createTestCatalog, type TestCatalog } from './test-catalog.ts';

const ENTITIES = `query ($representations: [_Any!]!) {
  entities: _entities(representations: $representations) {
    __typename
    ... on Item { id title }
    ... on User { id externalId interactions(first: 1) { edges { node { type } } } }
    ... on Tenant { id catalog { itemCount userCount interactionCount } }
  }
}`;

let catalog: TestCatalog;
beforeAll(async () => {
  catalog = await createTestCatalog();
});
afterAll(() => catalog[Symbol.asyncDispose]());

async function createPeopled() {
  const { viewer, tenantId } = await createTestTenant(catalog.db);
  const board = await seedCheckerboard(catalog.db, tenantId, { userCount: 4, itemCount: 10 });
  const items = [...board.itemIds.values()].map((id) => ({ __typename: 'Item', id: encodeGlobalId('Item', id) }));
  type Users = { users: { edges: { node: { id: string } }[] } };
  const { users } = await catalog.read<Users>(viewer, '{ users(first: 4) { edges { node { id } } } }');
  const tenant = { __typename: 'Tenant', id: encodeGlobalId('Tenant', tenantId) };
  return { viewer, board, items, users: users.edges.map(({ node }) => ({ __typename: 'User', id: node.id })), tenant };
}

test("references to the tenant's own items, users and tenant resolve, in the order asked", async () => {
  const { viewer, board, items, users, tenant } = await createPeopled();
  const representations = [users[0], items[1], tenant, items[0], items[1]];
  const { entities } = await catalog.read<{ entities: object[] }>(viewer, ENTITIES, { representations });
  expect(entities).toMatchObject([
    { ...users[0], interactions: { edges: [{ node: { type: 'VIEW' } }] } },
    items[1],
    { ...tenant, catalog: { itemCount: 10, userCount: 4, interactionCount: board.interactionCount } },
    items[0],
    items[1],
  ]);
});

test('references to foreign, unknown and known entities resolve to null but for the known ones', async () => {
  const own = await createPeopled();
  const foreign = await createPeopled();
  const unknown = { __typename: 'Item', id: encodeGlobalId('Item', newId('Item')) };
  const representations = [foreign.items[0], own.items[0], foreign.users[0], foreign.tenant, unknown];
  const { entities } = await catalog.read<{ entities: unknown[] }>(own.viewer, ENTITIES, { representations });
  expect(entities).toEqual([null, expect.objectContaining(own.items[0]), null, null, null]);
});

test('ten references take one transaction', async () => {
  const { viewer, items } = await createPeopled();
  const transaction = vi.spyOn(catalog.db.prisma, '$transaction');
  await catalog.read(viewer, ENTITIES, { representations: items });
  expect(transaction.mock.calls).toHaveLength(1);
  transaction.mockRestore();
});

test('a malformed id fails its own reference alone', async () => {
  const { viewer, items } = await createPeopled();
  const representations = [{ __typename: 'Item', id: 'itm_1' }, items[0]];
  const { data, errors } = await catalog.ask<{ entities: unknown[] }>(viewer, ENTITIES, { representations });
  expect(data?.entities).toEqual([null, expect.objectContaining(items[0])]);
  expect(errors).toMatchObject([{ path: ['entities', 0], extensions: { code: 'BAD_USER_INPUT' } }]);
});

test('a request without a credential gets no entity', async () => {
  const { items, tenant } = await createPeopled();
  const anonymous: Viewer = { kind: 'anonymous', scopes: [] };
  const { data, errors } = await catalog.ask(anonymous, ENTITIES, { representations: [items[0], tenant] });
  expect(data).toEqual({ entities: [null, null] });
  expect(errors?.map(({ extensions }) => extensions.code)).toEqual(['UNAUTHENTICATED', 'UNAUTHENTICATED']);
});

test('a publishable key reads items and records interactions, but sees no users, counts or histories, and writes no items', async () => {
  const { viewer: owner, users, tenant } = await createPeopled();
  const scopes = scopesOfApiKeyKind('PUBLISHABLE');
  const viewer: Viewer = { kind: 'apiKey', apiKeyId: newId('ApiKey'), tenantId: owner.tenantId, scopes };
  expect(await catalog.read(viewer, '{ item(externalId: "item-1") { title } }')).toEqual({ item: { title: 'Item 1' } });
  const interactions = '[{ userExternalId: "new", itemExternalId: "item-1", type: CLICK }]';
  const record = `mutation { recordInteractions(input: { interactions: ${interactions} }) { recordedCount } }`;
  expect(await catalog.read(viewer, record)).toEqual({ recordInteractions: { recordedCount: 1 } });
  const refused = [
    await catalog.ask(viewer, '{ user(externalId: "user-0") { id } }'),
    await catalog.ask(viewer, '{ users(first: 1) { edges { cursor } } }'),
    await catalog.ask(viewer, 'mutation { upsertItems(input: { items: [] }) { writtenCount } }'),
    await catalog.ask(viewer, ENTITIES, { representations: [tenant] }),
    await catalog.ask(viewer, ENTITIES, { representations: [users[0]] }),
  ];
  expect(refused.map(({ errors }) => errors?.[0]?.extensions.code)).toEqual(
    Array.from({ length: 5 }, () => 'FORBIDDEN'),
  );
});

test('a request without an internal token is refused before anything is read', async () => {
  const response = await fetch(`${catalog.url}/graphql`, { method: 'POST', body: '{"query":"{ __typename }"}' });
  expect(response.status).toBe(401);
});
