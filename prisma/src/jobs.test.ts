import { newId } from '@kindred/domain/ids';
import { createTwoTenants } from '@kindred/testing/two-tenants';
import { expect, test } from 'vitest';
import { addImportErrors, listImportErrors } from './import-errors.ts';
import {
  advanceJob,
  appendJobEvent,
  createJob,
  findJobs,
  finishJob,
  JobSupersededError,
  listJobEvents,
  listJobs,
  startJob,
} from './jobs.ts';
import { createModel } from './models.ts';
import { withTenant } from './tenants.ts';

test('of two attempts at one revision of a job one gets through, and the other changes nothing', async () => {
  await using world = await createTwoTenants();
  const { db, ours } = world;
  const id = newId('Import');
  await withTenant(db, ours.tenantId, (tx) => createJob(tx, { id, kind: 'IMPORT', order: {} }));
  await withTenant(db, ours.tenantId, (tx) => startJob(tx, id, { done: 0 }));
  const attempt = (done: number) =>
    withTenant(db, ours.tenantId, (tx) => advanceJob(tx, { id, revision: 0, state: { done } }));
  const outcomes = await Promise.allSettled([attempt(1), attempt(2)]);
  expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  await expect(attempt(3)).rejects.toThrow(JobSupersededError);
  const [job] = await withTenant(db, ours.tenantId, (tx) => findJobs(tx, 'IMPORT', [id]));
  expect(job).toMatchObject({ revision: 1, state: { done: outcomes[0]?.status === 'fulfilled' ? 1 : 2 } });
});

test('a job that has ended keeps its first ending, and is not advanced', async () => {
  await using world = await createTwoTenants();
  const { db, ours } = world;
  const id = newId('Import');
  await withTenant(db, ours.tenantId, async (tx) => {
    await createJob(tx, { id, kind: 'IMPORT', order: {} });
    await startJob(tx, id, {});
    expect(await finishJob(tx, { id, status: 'CANCELLED', failure: null })).toBe(true);
    expect(await finishJob(tx, { id, status: 'FAILED', failure: 'late' })).toBe(false);
  });
  const late = withTenant(db, ours.tenantId, (tx) => advanceJob(tx, { id, revision: 0, state: {} }));
  await expect(late).rejects.toThrow(JobSupersededError);
  const [job] = await withTenant(db, ours.tenantId, (tx) => findJobs(tx, 'IMPORT', [id]));
  expect(job).toMatchObject({ status: 'CANCELLED', failure: null });
});

test("a tenant sees, ends and tells of none of another tenant's jobs", async () => {
  await using world = await createTwoTenants();
  const { db, ours, theirs } = world;
  const id = newId('Import');
  const event = { jobId: id, dedupeKey: 'x', at: 0, body: { kind: 'PROGRESSED', message: 'x', details: {} } } as const;
  await withTenant(db, theirs.tenantId, async (tx) => {
    await createJob(tx, { id, kind: 'IMPORT', order: {} });
    await addImportErrors(tx, id, { knownCount: 0, errors: [{ line: 1, field: null, message: 'wrong' }] });
    expect(await appendJobEvent(tx, event)).toMatchObject({ sequence: 1 });
    expect(await appendJobEvent(tx, event)).toBeNull();
  });
  await withTenant(db, ours.tenantId, async (tx) => {
    expect(await findJobs(tx, 'IMPORT', [id])).toEqual([]);
    expect(await listJobs(tx, { kind: 'IMPORT', first: 10, afterId: null })).toEqual([]);
    expect(await listJobEvents(tx, { jobId: id, afterSequence: 0, limit: 10 })).toEqual([]);
    expect(await listImportErrors(tx, { importId: id, first: 10, afterNumber: 0 })).toEqual([]);
    expect(await finishJob(tx, { id, status: 'CANCELLED', failure: null })).toBe(false);
    await expect(appendJobEvent(tx, event)).rejects.toThrow('There is no job');
  });
});

test('a model has one open tuning at a time', async () => {
  await using world = await createTwoTenants();
  const { db, ours } = world;
  const [modelId, first, second] = [newId('Model'), newId('Tuning'), newId('Tuning')];
  const create = (id: typeof first) =>
    withTenant(db, ours.tenantId, (tx) => createJob(tx, { id, kind: 'TUNING', modelId, order: {} }));
  await withTenant(db, ours.tenantId, (tx) =>
    createModel(tx, { id: modelId, name: 'model', algorithm: 'LIGHTGCN', settings: {} }),
  );
  expect(await create(first)).toBe(true);
  expect(await create(second)).toBe(false);
  await withTenant(db, ours.tenantId, (tx) => finishJob(tx, { id: first, status: 'SUCCEEDED', failure: null }));
  expect(await create(second)).toBe(true);
  expect(
    await withTenant(db, ours.tenantId, (tx) => listJobs(tx, { kind: 'TUNING', modelId, first: 1, afterId: null })),
  ).toMatchObject([{ id: second }]);
});
