import { resolveHyperparameters } from '@kindred/core/lightgcn/hyperparameters';
import { seedCheckerboard } from '@kindred/testing/checkerboard';
import { createTestTenant } from '@kindred/testing/test-tenant';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestModel, type TestModel } from './test-model.ts';

const HYPERPARAMETERS = `overridden loss dimension layers learningRate regularization batchSize epochs patience seed
  initialDeviation userGroup lengthExponent temperature secondTemperature logQCorrection negatives negativesGrowth`;
const CREATE = `mutation ($input: CreateModelInput!) {
  createModel(input: $input) { model { id name algorithm hyperparameters { ${HYPERPARAMETERS} } tenant { id } activeVersion { id } } userErrors { code message path } }
}`;
const MODELS = `query ($first: Int!, $after: String) { models(first: $first, after: $after) { edges { cursor node { id name runs { edges { node { id } } } } } pageInfo { hasNextPage endCursor } } }`;

interface Created {
  createModel: { model: { id: string; name: string; hyperparameters: object } | null; userErrors: object[] };
}

let model: TestModel;
beforeAll(async () => {
  model = await createTestModel();
});
afterAll(() => model[Symbol.asyncDispose]());

test('a model keeps what its creator sets, and the rest follows the catalogue', async () => {
  const { viewer, tenantId } = await createTestTenant(model.db);
  const { interactionCount } = await seedCheckerboard(model.db, tenantId, { userCount: 100, itemCount: 100 });
  const input = { name: ' Home ', hyperparameters: { epochs: 3, loss: 'SOFTMAX', temperature: 0.2 } };
  const { createModel } = await model.read<Created>(viewer, CREATE, { input });
  const size = { userCount: 100, itemCount: 100, interactionCount: 0.8 * interactionCount };
  const expected = resolveHyperparameters(size, { epochs: 3, temperature: 0.2 });
  expect(createModel).toMatchObject({
    model: {
      name: 'Home',
      algorithm: 'LIGHTGCN',
      hyperparameters: { ...expected, loss: 'SOFTMAX', overridden: ['epochs', 'loss', 'temperature'] },
      activeVersion: null,
    },
    userErrors: [],
  });
});

test('a model of the other loss has nothing that only the softmax reads', async () => {
  const { viewer } = await createTestTenant(model.db);
  const input = { name: 'Home', hyperparameters: { loss: 'BPR' } };
  const { createModel } = await model.read<Created>(viewer, CREATE, { input });
  const nothing = { temperature: null, secondTemperature: null, logQCorrection: null, negatives: null };
  expect(createModel.model?.hyperparameters).toMatchObject({
    loss: 'BPR',
    layers: 2,
    overridden: ['loss'],
    ...nothing,
  });
});

test('a name that is taken and settings out of range are told as data', async () => {
  const { viewer } = await createTestTenant(model.db);
  await model.read<Created>(viewer, CREATE, { input: { name: 'Home' } });
  const taken = await model.read<Created>(viewer, CREATE, { input: { name: 'Home' } });
  expect(taken.createModel).toMatchObject({ model: null, userErrors: [{ code: 'TAKEN', path: ['name'] }] });
  const wrong = await model.read<Created>(viewer, CREATE, { input: { name: '', hyperparameters: { dimension: 1 } } });
  expect(wrong.createModel.userErrors).toMatchObject([
    { code: 'INVALID', path: ['name'] },
    { code: 'INVALID', path: ['hyperparameters', 'dimension'] },
  ]);
});

test('ten calls at once with one idempotency key create one model', async () => {
  const { viewer } = await createTestTenant(model.db);
  const input = { name: 'Once', idempotencyKey: 'k' };
  const answers = await Promise.all(Array.from({ length: 10 }, () => model.read<Created>(viewer, CREATE, { input })));
  expect(new Set(answers.map(({ createModel }) => createModel.model?.id)).size).toBe(1);
});

test("a tenant neither reads nor lists another's models", async () => {
  const { viewer } = await createTestTenant(model.db);
  const { viewer: foreign } = await createTestTenant(model.db);
  const { createModel } = await model.read<Created>(viewer, CREATE, { input: { name: 'Mine' } });
  const id = createModel.model?.id;
  expect(await model.read(foreign, 'query ($id: ID!) { model(id: $id) { name } }', { id })).toEqual({ model: null });
  expect(await model.read(foreign, MODELS, { first: 10 })).toMatchObject({ models: { edges: [] } });
  const entities = `query ($of: [_Any!]!) { _entities(representations: $of) { ... on Model { name } } }`;
  const of = [{ __typename: 'Model', id }];
  expect(await model.read(foreign, entities, { of })).toEqual({ _entities: [null] });
  expect(await model.read(viewer, entities, { of })).toEqual({ _entities: [{ name: 'Mine' }] });
});

test('pages list models newest first', async () => {
  const { viewer } = await createTestTenant(model.db);
  for (const name of ['a', 'b', 'c']) await model.read<Created>(viewer, CREATE, { input: { name } });
  interface Page {
    models: { edges: { node: { name: string } }[]; pageInfo: { hasNextPage: boolean; endCursor: string } };
  }
  const first = await model.read<Page>(viewer, MODELS, { first: 2 });
  expect(first.models.edges.map(({ node }) => node.name)).toEqual(['c', 'b']);
  expect(first.models.pageInfo.hasNextPage).toBe(true);
  const next = await model.read<Page>(viewer, MODELS, { first: 2, after: first.models.pageInfo.endCursor });
  expect(next.models.edges.map(({ node }) => node.name)).toEqual(['a']);
  expect(next.models.pageInfo.hasNextPage).toBe(false);
});
