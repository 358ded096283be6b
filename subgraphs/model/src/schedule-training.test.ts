import { decodeGlobalId } from '@kindred/domain/ids';
import { createTestTenant, type TestTenant } from '@kindred/testing/test-tenant';
import { retrainWorkflowId } from '@kindred/workflows/contract';
import { ScheduleNotFoundError, ScheduleOverlapPolicy } from '@temporalio/client';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createTestModel, type TestModel } from './test-model.ts';

const SCHEDULE = `mutation ($input: ScheduleTrainingInput!) {
  scheduleTraining(input: $input) { model { schedule { everyMinutes afterInteractions } } userErrors { code message path } }
}`;
const UNSCHEDULE = `mutation ($input: UnscheduleTrainingInput!) {
  unscheduleTraining(input: $input) { model { schedule { everyMinutes } } userErrors { code path } }
}`;

const HOUR_MS = 3_600_000;

let model: TestModel;
beforeAll(async () => {
  model = await createTestModel();
});
afterAll(() => model[Symbol.asyncDispose]());

async function createModel() {
  const tenant = await createTestTenant(model.db);
  const create = `mutation { createModel(input: { name: "Home" }) { model { id } } }`;
  const { createModel: created } = await model.read<{ createModel: { model: { id: string } } }>(tenant.viewer, create);
  return { tenant, modelId: created.model.id };
}

function handleOf(tenant: TestTenant, modelId: string) {
  return model.temporal.schedule.getHandle(retrainWorkflowId(tenant.tenantId, decodeGlobalId('Model', modelId)));
}

test('a schedule is kept with the model, and Temporal fires it, skipping what overlaps', async () => {
  const { tenant, modelId } = await createModel();
  const input = { modelId, everyMinutes: 60, afterInteractions: 500 };
  expect(await model.read(tenant.viewer, SCHEDULE, { input })).toEqual({
    scheduleTraining: { model: { schedule: { everyMinutes: 60, afterInteractions: 500 } }, userErrors: [] },
  });
  const { spec, policies, action } = await handleOf(tenant, modelId).describe();
  expect(spec).toMatchObject({ intervals: [{ every: 3_600_000 }], jitter: 360_000 });
  expect(policies).toMatchObject({ overlap: 'SKIP', catchupWindow: 3_600_000 });
  const own = { tenantId: tenant.tenantId, modelId: decodeGlobalId('Model', modelId) };
  expect(action).toMatchObject({ workflowType: 'retrainOnSchedule', taskQueue: 'workflows', args: [own] });
});

/** When the hourly schedule of a new model fires in so many hours, which pass in moments as Temporal makes up for them. */
async function passHours(hours: number, overlap?: ScheduleOverlapPolicy) {
  const { tenant, modelId } = await createModel();
  await model.read(tenant.viewer, SCHEDULE, { input: { modelId, everyMinutes: 60 } });
  const handle = handleOf(tenant, modelId);
  const end = new Date(Math.floor(Date.now() / HOUR_MS) * HOUR_MS - HOUR_MS / 2);
  const start = new Date(end.getTime() - hours * HOUR_MS);
  await handle.backfill({ start, end, ...(overlap && { overlap }) });
  const readFirings = async () => {
    const { numActionsTaken: taken, numActionsSkippedOverlap: skipped } = (await handle.describe()).info;
    const due: unknown[] = [];
    const started = model.temporal.workflow.list({ query: `TemporalScheduledById = '${handle.scheduleId}'` });
    for await (const { searchAttributes } of started) due.push(searchAttributes.TemporalScheduledStartTime?.[0]);
    return { taken, skipped, due: due.map(Number).toSorted((one, other) => one - other) };
  };
  // Ten firings are made up for at a time, and are listed a little later.
  await vi.waitFor(
    async () => {
      const { taken, skipped, due } = await readFirings();
      expect([taken + skipped, due.length]).toEqual([hours, taken]);
    },
    { timeout: 45_000, interval: 200 },
  );
  return readFirings();
}

test('an hourly schedule fires at every hour of a day', async () => {
  const { due } = await passHours(24, ScheduleOverlapPolicy.ALLOW_ALL);
  const first = due[0] ?? expect.fail();
  expect(due).toEqual(Array.from({ length: 24 }, (_, hour) => first + hour * HOUR_MS));
}, 60_000);

test('while what it started goes on, a schedule skips what it would start', async () => {
  // No worker here ends what the first firing starts.
  expect(await passHours(6)).toMatchObject({ taken: 1, skipped: 5 });
}, 60_000);

test('a second schedule takes the place of the first, and is taken away again', async () => {
  const { tenant, modelId } = await createModel();
  await model.read(tenant.viewer, SCHEDULE, { input: { modelId, everyMinutes: 60 } });
  await model.read(tenant.viewer, SCHEDULE, { input: { modelId, everyMinutes: 30 } });
  const { spec } = await handleOf(tenant, modelId).describe();
  expect(spec.intervals).toMatchObject([{ every: 1_800_000 }]);
  const gone = { unscheduleTraining: { model: { schedule: null }, userErrors: [] } };
  expect(await model.read(tenant.viewer, UNSCHEDULE, { input: { modelId } })).toEqual(gone);
  await expect(handleOf(tenant, modelId).describe()).rejects.toThrow(ScheduleNotFoundError);
  expect(await model.read(tenant.viewer, UNSCHEDULE, { input: { modelId } })).toEqual(gone);
});

test.each([
  ['everyMinutes', 0, 'everyMinutes must be 1 to 43,200, got 0.'],
  ['everyMinutes', 43_201, 'everyMinutes must be 1 to 43,200, got 43201.'],
  ['afterInteractions', 0, 'afterInteractions must be 1 to 1,000,000,000, got 0.'],
])('%s of %d is refused with what is wanted', async (field, value, message) => {
  const { tenant, modelId } = await createModel();
  const input = { modelId, everyMinutes: 60, [field]: value };
  expect(await model.read(tenant.viewer, SCHEDULE, { input })).toEqual({
    scheduleTraining: { model: null, userErrors: [{ code: 'INVALID', message, path: [field] }] },
  });
  await expect(handleOf(tenant, modelId).describe()).rejects.toThrow(ScheduleNotFoundError);
});

test("another tenant's model is neither scheduled nor unscheduled", async () => {
  const { tenant, modelId } = await createModel();
  await model.read(tenant.viewer, SCHEDULE, { input: { modelId, everyMinutes: 60 } });
  const { viewer: foreign } = await createTestTenant(model.db);
  const notFound = { model: null, userErrors: [{ code: 'NOT_FOUND', path: ['modelId'] }] };
  const scheduled = await model.read(foreign, SCHEDULE, { input: { modelId, everyMinutes: 1 } });
  expect(scheduled).toMatchObject({ scheduleTraining: notFound });
  expect(await model.read(foreign, UNSCHEDULE, { input: { modelId } })).toEqual({ unscheduleTraining: notFound });
  const { spec } = await handleOf(tenant, modelId).describe();
  expect(spec.intervals).toMatchObject([{ every: 3_600_000 }]);
});
