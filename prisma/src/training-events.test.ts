import type { TenantId, TrainingRunId } from '@kindred/domain/ids';
import { createTestModel, createTestRun } from '@kindred/testing/test-model';
import { createTwoTenants } from '@kindred/testing/two-tenants';
import { expect, test } from 'vitest';
import type { Db } from './client.ts';
import { withTenant } from './tenants.ts';
import { appendTrainingEvent, listTrainingEvents } from './training-events.ts';
import { findTrainingRuns } from './training-runs.ts';

const AT = Date.UTC(2026, 4, 1, 12, 0, 0, 123);

async function createRun(db: Db, tenantId: TenantId): Promise<TrainingRunId> {
  const run = await withTenant(db, tenantId, async (tx) => createTestRun(tx, await createTestModel(tx)));
  return run.id;
}

function log(runId: TrainingRunId, dedupeKey: string) {
  return { runId, dedupeKey, at: AT, body: { kind: 'LOG' as const, message: dedupeKey } };
}

test('events are numbered from 1 and read back as they were', async () => {
  await using world = await createTwoTenants();
  const { db, ours } = world;
  const runId = await createRun(db, ours.tenantId);
  await withTenant(db, ours.tenantId, async (tx) => {
    const first = await appendTrainingEvent(tx, log(runId, 'a'));
    const second = await appendTrainingEvent(tx, log(runId, 'b'));
    expect(first).toEqual({ runId, sequence: 1, at: AT, body: { kind: 'LOG', message: 'a' } });
    expect(await listTrainingEvents(tx, { runId, afterSequence: 0, limit: 10 })).toEqual([first, second]);
    expect(await listTrainingEvents(tx, { runId, afterSequence: 1, limit: 10 })).toEqual([second]);
    expect(await listTrainingEvents(tx, { runId, afterSequence: 0, limit: 1 })).toEqual([first]);
  });
});

test('a repeated event is told by null and takes no number', async () => {
  await using world = await createTwoTenants();
  const { db, ours } = world;
  const runId = await createRun(db, ours.tenantId);
  await withTenant(db, ours.tenantId, async (tx) => {
    await appendTrainingEvent(tx, log(runId, 'a'));
    expect(await appendTrainingEvent(tx, log(runId, 'a'))).toBeNull();
    expect(await appendTrainingEvent(tx, log(runId, 'b'))).toMatchObject({ sequence: 2 });
    expect(await findTrainingRuns(tx, [runId])).toEqual([expect.objectContaining({ lastSequence: 2 })]);
  });
});

test('concurrent writers, repeats among them, leave no gap', async () => {
  await using world = await createTwoTenants();
  const { db, ours } = world;
  const runId = await createRun(db, ours.tenantId);
  const keys = Array.from({ length: 60 }, (_, n) => `event-${n % 40}`);
  const written = await Promise.all(
    keys.map((key) => withTenant(db, ours.tenantId, (tx) => appendTrainingEvent(tx, log(runId, key)))),
  );
  const expected = Array.from({ length: 40 }, (_, n) => n + 1);
  const numbers = written.flatMap((event) => (event === null ? [] : [event.sequence]));
  expect(numbers.toSorted((a, b) => a - b)).toEqual(expected);
  const stored = await withTenant(db, ours.tenantId, (tx) =>
    listTrainingEvents(tx, { runId, afterSequence: 0, limit: 100 }),
  );
  expect(stored.map((event) => event.sequence)).toEqual(expected);
});

test('an event of a transaction that rolls back leaves no gap', async () => {
  await using world = await createTwoTenants();
  const { db, ours } = world;
  const runId = await createRun(db, ours.tenantId);
  const failed = withTenant(db, ours.tenantId, async (tx) => {
    await appendTrainingEvent(tx, log(runId, 'a'));
    throw new Error('the worker died');
  });
  await expect(failed).rejects.toThrow('the worker died');
  const event = await withTenant(db, ours.tenantId, (tx) => appendTrainingEvent(tx, log(runId, 'b')));
  expect(event?.sequence).toBe(1);
});

test('another tenant neither reads nor writes the events of a run', async () => {
  await using world = await createTwoTenants();
  const { db, ours, theirs } = world;
  const runId = await createRun(db, ours.tenantId);
  await withTenant(db, ours.tenantId, (tx) => appendTrainingEvent(tx, log(runId, 'a')));
  const page = { runId, afterSequence: 0, limit: 10 };
  expect(await withTenant(db, theirs.tenantId, (tx) => listTrainingEvents(tx, page))).toEqual([]);
  const written = withTenant(db, theirs.tenantId, (tx) => appendTrainingEvent(tx, log(runId, 'b')));
  await expect(written).rejects.toMatchObject({ code: 'NOT_FOUND' });
});
