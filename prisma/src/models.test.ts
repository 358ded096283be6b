import { createTestModel, TEST_SETTINGS } from '@kindred/testing/test-model';
import { createTwoTenants } from '@kindred/testing/two-tenants';
import { expect, test } from 'vitest';
import { findModels, listModels, readModels, setModelCanary, setModelSchedule } from './models.ts';
import { TakenError } from './taken-error.ts';
import { withTenant } from './tenants.ts';

test('a model is found with its settings by its tenant only', async () => {
  await using world = await createTwoTenants();
  const { db, ours, theirs } = world;
  const model = await withTenant(db, ours.tenantId, (tx) => createTestModel(tx, 'Home'));
  expect(model).toMatchObject({ name: 'Home', algorithm: 'LIGHTGCN', settings: TEST_SETTINGS });
  expect(await withTenant(db, ours.tenantId, (tx) => findModels(tx, [model.id]))).toEqual([model]);
  expect(await withTenant(db, theirs.tenantId, (tx) => findModels(tx, [model.id]))).toEqual([]);
  expect(await withTenant(db, theirs.tenantId, (tx) => listModels(tx, { first: 10 }))).toEqual([]);
});

const CANARY = { sharePercent: 10, minimumAnswers: 100, maximumMinutes: 30 };

test('a model is read as it is found, by its tenant only', async () => {
  await using world = await createTwoTenants();
  const { db, ours, theirs } = world;
  const ids = await withTenant(db, ours.tenantId, async (tx) => {
    const plain = await createTestModel(tx, 'Plain');
    const full = await createTestModel(tx, 'Full');
    await setModelSchedule(tx, { modelId: full.id, schedule: { everyMinutes: 60, afterInteractions: 100 } });
    await setModelCanary(tx, { modelId: full.id, canary: CANARY });
    return [plain.id, full.id];
  });
  const byId = (a: { id: string }, b: { id: string }) => a.id.localeCompare(b.id);
  const found = await withTenant(db, ours.tenantId, (tx) => findModels(tx, ids));
  expect(found.toSorted(byId)).toMatchObject([
    { schedule: null, canary: null },
    { schedule: { everyMinutes: 60 }, canary: CANARY },
  ]);
  expect((await readModels(db, ours.tenantId, ids)).toSorted(byId)).toEqual(found.toSorted(byId));
  expect(await readModels(db, theirs.tenantId, ids)).toEqual([]);
});

test('a name is taken once per tenant, and the transaction goes on', async () => {
  await using world = await createTwoTenants();
  const { db, ours, theirs } = world;
  await withTenant(db, theirs.tenantId, (tx) => createTestModel(tx, 'Home'));
  await withTenant(db, ours.tenantId, async (tx) => {
    await createTestModel(tx, 'Home');
    await expect(createTestModel(tx, 'Home')).rejects.toThrow(TakenError);
    await createTestModel(tx, 'Product page');
  });
});

test('models are listed newest first, page after page', async () => {
  await using world = await createTwoTenants();
  await withTenant(world.db, world.ours.tenantId, async (tx) => {
    for (const name of ['one', 'two', 'three']) {
      await createTestModel(tx, name);
    }
    const page = await listModels(tx, { first: 2 });
    const rest = await listModels(tx, { first: 2, afterId: page.at(-1)?.id });
    expect([...page, ...rest].map((model) => model.name)).toEqual(['three', 'two', 'one']);
  });
});

test('a schedule is kept with its model and taken away again, by its own tenant alone', async () => {
  await using world = await createTwoTenants();
  const { db, ours, theirs } = world;
  const { id } = await withTenant(db, ours.tenantId, (tx) => createTestModel(tx));
  const schedule = { everyMinutes: 60, afterInteractions: 100 };
  await withTenant(db, ours.tenantId, (tx) => setModelSchedule(tx, { modelId: id, schedule }));
  const foreign = withTenant(db, theirs.tenantId, (tx) => setModelSchedule(tx, { modelId: id, schedule: null }));
  await expect(foreign).rejects.toMatchObject({ code: 'NOT_FOUND' });
  const find = () => withTenant(db, ours.tenantId, (tx) => findModels(tx, [id]));
  expect(await find()).toMatchObject([{ schedule }]);
  await withTenant(db, ours.tenantId, (tx) => setModelSchedule(tx, { modelId: id, schedule: null }));
  expect(await find()).toMatchObject([{ schedule: null }]);
});
