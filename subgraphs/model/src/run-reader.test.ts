import { finishTrainingRun } from '@kindred/db/training-runs';
import { withTenant } from '@kindred/db/tenants';
import { createTestModel, createTestRun } from '@kindred/testing/test-model';
import { createTwoTenants, type TwoTenants } from '@kindred/testing/two-tenants';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createRunReader } from './run-reader.ts';

let world: TwoTenants;
beforeAll(async () => {
  world = await createTwoTenants();
});
afterAll(() => world[Symbol.asyncDispose]());

function queueRun(name: string) {
  return withTenant(world.db, world.ours.tenantId, async (tx) => createTestRun(tx, await createTestModel(tx, name)));
}

test('two hundred who want one run at one moment cost two transactions, not two hundred', async () => {
  const { id } = await queueRun('Watched by many');
  const reader = createRunReader(world.db);
  let count = 0;
  const note = () => {
    count += 1;
  };
  world.db.pool.on('acquire', note);
  const answers = await Promise.all(Array.from({ length: 200 }, () => reader.read(world.ours.tenantId, [id])));
  world.db.pool.off('acquire', note);
  expect(answers.flat().map((run) => run.id)).toEqual(answers.map(() => id));
  expect(count).toBe(2);
});

test('a run is read as it is when it is asked for', async () => {
  const { id } = await queueRun('Over soon');
  const reader = createRunReader(world.db);
  const statusOf = async () => (await reader.read(world.ours.tenantId, [id])).map(({ status }) => status);
  expect(await statusOf()).toEqual(['QUEUED']);
  await withTenant(world.db, world.ours.tenantId, (tx) => finishTrainingRun(tx, { runId: id, status: 'CANCELLED' }));
  expect(await statusOf()).toEqual(['CANCELLED']);
});

test("another tenant's run is not there, in the same moment in which its own tenant reads it", async () => {
  const { id } = await queueRun('Ours alone');
  const reader = createRunReader(world.db);
  const [ours, theirs, again] = await Promise.all([
    reader.read(world.ours.tenantId, [id]),
    reader.read(world.theirs.tenantId, [id]),
    reader.read(world.ours.tenantId, [id]),
  ]);
  expect([ours.length, theirs.length, again.length]).toEqual([1, 0, 1]);
});
