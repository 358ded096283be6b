import { randomBytes } from 'node:crypto';
import { findReceiptProblem, listReceiptLines } from '@kindred/db/erasure-receipts';
import { createErasure, getErasure } from '@kindred/db/erasures';
import { createJob } from '@kindred/db/jobs';
import { withTenant } from '@kindred/db/tenants';
import { newId, type TenantId, type UploadId } from '@kindred/domain/ids';
import { MAX_UPLOAD_AGE_MS, uploadedAtMs, uploadKey } from '@kindred/domain/imports';
import { createTestTenant } from '@kindred/testing/test-tenant';
import { expect, test, vi } from 'vitest';
import { ENFORCE_RETENTION, ERASE_USER, eraseUserWorkflowId, RETENTION_WORKFLOW_ID, TASK_QUEUES } from '../contract.ts';
import type { TrainingWorld } from '../testing/training-world.ts';
import { openWorldAroundTests } from '../testing/world-around-tests.ts';
import { findUploadsNaming } from '../uploads-naming.ts';

vi.setConfig({ testTimeout: 240_000 });

let world: TrainingWorld;
openWorldAroundTests((opened) => {
  world = opened;
});

const HEADER = 'userExternalId,itemExternalId,type\n';

async function upload(tenantId: TenantId, content: string | Buffer, uploadId = newId('Upload')): Promise<UploadId> {
  await world.deps.objects.put(uploadKey(tenantId, uploadId), Buffer.from(content));
  return uploadId;
}

/** An upload's id as it was given `ageMs` ago. */
function agedUploadId(ageMs: number): UploadId {
  const hex = (Date.now() - ageMs).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}${newId('Upload').slice(13)}` as UploadId;
}

async function queueImportOf(tenantId: TenantId, uploadId: UploadId): Promise<void> {
  const order = { uploadId, kind: 'INTERACTIONS', format: 'CSV', errorPolicy: 'REJECT_FAILED_ROWS' };
  await withTenant(world.deps.db, tenantId, (tx) => createJob(tx, { id: newId('Import'), kind: 'IMPORT', order }));
}

const isThere = (tenantId: TenantId, uploadId: UploadId) => world.deps.objects.exists(uploadKey(tenantId, uploadId));

test.each([
  ['a column of CSV', `${HEADER}7,item-1,VIEW\n`, true],
  ['a cell in quotes', `${HEADER}"7",item-1,VIEW\n`, true],
  ['a field of JSONL', '{"userExternalId":"7","itemExternalId":"a","type":"VIEW"}\n', true],
  ['a field of JSONL that is written in escapes', '{"userExternalId":"\\u0037","itemExternalId":"a"}\n', true],
  ['a row without its columns', `${HEADER}item-1,VIEW\n7\n`, true],
  ['a file that nobody can read', Buffer.from([0, 255, 0x37, 0]), true],
  ['JSONL of fields that imports do not know', '{"user":"7"}\n', true],
  ['another user and an item', `${HEADER}17,7,VIEW\n`, false],
  ['items in CSV', 'externalId,title\n7,Seven\n', false],
  ['items in JSONL', '{"externalId":"7","title":"Seven"}\n', false],
  ['nothing', '', false],
])('the user 7 is looked for in %s', async (_where, content, isNamed) => {
  const { tenantId } = await createTestTenant(world.deps.db);
  const uploadId = await upload(tenantId, content);
  const naming = await findUploadsNaming(world.deps, { tenantId, externalId: '7' });
  expect(naming).toEqual(isNamed ? [{ uploadId, isInUse: false }] : []);
});

test('a file that an import is still to read is told from one that nobody reads', async () => {
  const { tenantId } = await createTestTenant(world.deps.db);
  const uploadId = await upload(tenantId, `${HEADER}7,item-1,VIEW\n`);
  await queueImportOf(tenantId, uploadId);
  const naming = await findUploadsNaming(world.deps, { tenantId, externalId: '7' });
  expect(naming).toEqual([{ uploadId, isInUse: true }]);
});

test('an erasure deletes the uploads that name a user who was never imported, and another tenant keeps its own', async () => {
  const { db } = world.deps;
  const [ours, theirs] = [await createTestTenant(db), await createTestTenant(db)];
  const person = `person-${randomBytes(6).toString('hex')}`;
  const content = `${HEADER}somebody,item-1,VIEW\n${person},item-1,VIEW\n`;
  const named = await upload(ours.tenantId, content);
  const unnamed = await upload(ours.tenantId, `${HEADER}somebody,item-1,VIEW\n`);
  const foreign = await upload(theirs.tenantId, content);
  const ref = { tenantId: ours.tenantId, erasureId: newId('Erasure') };
  const asked = { id: ref.erasureId, subject: randomBytes(32), externalId: person, retrain: false };
  const requestedBy = { kind: 'account', id: ours.accountId } as const;
  await withTenant(db, ours.tenantId, (tx) => createErasure(tx, { ...asked, requestedBy }));

  const order = { taskQueue: TASK_QUEUES.workflows, workflowId: eraseUserWorkflowId(ref), args: [ref] };
  await world.client.workflow.execute(ERASE_USER, order);

  expect(await isThere(ours.tenantId, named)).toBe(false);
  expect(await isThere(ours.tenantId, unnamed)).toBe(true);
  expect(await isThere(theirs.tenantId, foreign)).toBe(true);
  const { erasure, lines } = await withTenant(db, ours.tenantId, async (tx) => {
    return { erasure: await getErasure(tx, ref.erasureId), lines: await listReceiptLines(tx, ref.erasureId) };
  });
  expect(erasure).toMatchObject({ externalId: null, sealedAt: expect.any(Date) });
  expect(lines).toContainEqual(expect.objectContaining({ store: 'UPLOAD_FILES', scope: named, rowCount: 1 }));
  expect(lines.map(({ scope }) => scope)).not.toContain(unnamed);
  expect(findReceiptProblem(erasure, lines)).toBeNull();
});

test('a night deletes what every tenant uploaded long ago, unless an import is still to read it', async () => {
  const { db } = world.deps;
  const [ours, theirs] = [await createTestTenant(db), await createTestTenant(db)];
  const content = `${HEADER}somebody,item-1,VIEW\n`;
  const old = () => agedUploadId(MAX_UPLOAD_AGE_MS + 60_000);
  expect(uploadedAtMs(old())).toBeLessThan(Date.now() - MAX_UPLOAD_AGE_MS);
  const forgotten = await upload(ours.tenantId, content, old());
  const foreign = await upload(theirs.tenantId, content, old());
  const inUse = await upload(ours.tenantId, content, old());
  await queueImportOf(ours.tenantId, inUse);
  const fresh = await upload(ours.tenantId, content, agedUploadId(MAX_UPLOAD_AGE_MS - 60_000));

  const night = await world.client.workflow.execute(ENFORCE_RETENTION, {
    taskQueue: TASK_QUEUES.workflows,
    workflowId: `${RETENTION_WORKFLOW_ID}/${randomBytes(6).toString('hex')}`,
    args: [],
  });

  expect(night).toMatchObject({ uploadCount: 2, failedCount: 0 });
  expect(await isThere(ours.tenantId, forgotten)).toBe(false);
  expect(await isThere(theirs.tenantId, foreign)).toBe(false);
  expect(await isThere(ours.tenantId, inUse)).toBe(true);
  expect(await isThere(ours.tenantId, fresh)).toBe(true);
});
