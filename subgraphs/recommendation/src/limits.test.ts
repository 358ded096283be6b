import { scopesOfApiKeyKind, type Viewer } from '@kindred/domain/viewer';
import { newId } from '@kindred/domain/ids';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  createTestRecommendation,
  createWorld,
  recommend,
  RECOMMEND,
  refused,
  type TestRecommendation,
  type World,
} from './test-recommendation.ts';

let subgraph: TestRecommendation;
let world: World;
beforeAll(async () => {
  subgraph = await createTestRecommendation();
  world = await createWorld(subgraph, { itemCount: 4, userCount: 2 });
});
afterAll(() => subgraph[Symbol.asyncDispose]());

const ids = (count: number): string[] => Array.from({ length: count }, (_, item) => `item-${item}`);
const both = { externalId: 'user-0', sessionItems: ['item-1'] };
const ONE_OF = 'input.user wants exactly one of externalId and sessionItems, got';

test.each([
  ['both a user and a session', { user: both }, `${ONE_OF} both.`],
  ['neither a user nor a session', { user: {} }, `${ONE_OF} neither.`],
  ['two nulls', { user: { externalId: null, sessionItems: null } }, `${ONE_OF} neither.`],
  ['an empty session', { user: { sessionItems: [] } }, 'input.user.sessionItems must be 1-200 items, got 0.'],
  ['a long session', { user: { sessionItems: ids(201) } }, 'input.user.sessionItems must be 1-200 items, got 201.'],
  ['many exclusions', { excludeItems: ids(1_001) }, 'input.excludeItems takes at most 1000 items, got 1001.'],
  ['an empty page', { first: 0 }, 'first must be 1-100, got 0.'],
  ['a large page', { first: 101 }, 'first must be 1-100, got 101.'],
])('%s is refused with what was wanted and got', async (_, input, message) => {
  expect(await refused(subgraph, world, input)).toMatchObject([{ message, extensions: { code: 'BAD_USER_INPUT' } }]);
});

test('the largest question is answered', async () => {
  const input = { user: { sessionItems: ids(200) }, excludeItems: ids(1_000), first: 100 };
  expect(await recommend(subgraph, world, input)).toMatchObject({ edges: [] });
});

test('a text that no id can be is refused', async () => {
  const errors = await refused(subgraph, world, { user: { externalId: 'a\0b' } });
  expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
});

test('a publishable key may ask; a viewer without the scope or without a credential may not', async () => {
  const { tenantId } = world;
  const key = (scopes: Viewer['scopes']): Viewer => ({ kind: 'apiKey', apiKeyId: newId('ApiKey'), tenantId, scopes });
  const codeFor = async (viewer: Viewer) => {
    const { errors } = await subgraph.ask(viewer, RECOMMEND, { input: {} });
    return errors?.[0]?.extensions.code;
  };
  expect(await codeFor(key(scopesOfApiKeyKind('PUBLISHABLE')))).toBeUndefined();
  expect(await codeFor(key(['catalog:read']))).toBe('FORBIDDEN');
  expect(await codeFor({ kind: 'anonymous', scopes: [] })).toBe('UNAUTHENTICATED');
});
