import { once } from 'node:events';
import { upsertItems } from '@kindred/db/items';
import { withTenant } from '@kindred/db/tenants';
import type { TenantId } from '@kindred/domain/ids';
import { uploadKey } from '@kindred/domain/imports';
import { createTestTenant } from '@kindred/testing/test-tenant';
import { describe, expect, test } from 'vitest';
import { importFile, queueImport, readImport, startImport } from '../testing/import-world.ts';
import { spawnWorker } from '../testing/spawn-worker.ts';
import { openTrainingWorld, type TrainingWorld } from '../testing/training-world.ts';
import { openWorldAroundTests } from '../testing/world-around-tests.ts';

let world: TrainingWorld;
openWorldAroundTests((opened) => {
  world = opened;
});

async function newTenant(itemCount = 3): Promise<TenantId> {
  const { tenantId } = await createTestTenant(world.deps.db);
  const rows = Array.from({ length: itemCount }, (_, index) => ({
    externalId: `item-${index}`,
    title: `Item ${index}`,
    categories: [],
    properties: {},
  }));
  await withTenant(world.deps.db, tenantId, (tx) => upsertItems(tx, rows));
  return tenantId;
}

const countInteractions = (tenantId: TenantId) =>
  withTenant(world.deps.db, tenantId, (tx) => tx.client.interaction.count({ where: { tenantId } }));

const listItems = (tenantId: TenantId) =>
  withTenant(world.deps.db, tenantId, (tx) =>
    tx.client.item.findMany({ where: { tenantId }, orderBy: { externalId: 'asc' } }),
  );

const interaction = (index: number, item = 'item-1') =>
  JSON.stringify({
    eventId: `event-${index}`,
    userExternalId: `user-${index % 7}`,
    itemExternalId: item,
    type: 'VIEW',
    occurredAt: '2026-11-20T10:00:00Z',
  });

const INTERACTIONS = { kind: 'INTERACTIONS', format: 'JSONL', errorPolicy: 'REJECT_FAILED_ROWS' } as const;

test('a file of interactions is recorded for its tenant alone, and each wrong row keeps its line and reason', async () => {
  const [ours, theirs] = [await newTenant(), await newTenant(0)];
  const content = [interaction(1), interaction(2, 'nothing'), '{"type":"VIEW"}', '', interaction(3)].join('\n');
  const { row, errors, events } = await importFile(world, ours, { ...INTERACTIONS, content });
  expect(row).toMatchObject({ status: 'SUCCEEDED', failure: null });
  expect(row?.state).toMatchObject({ rowCount: 4, writtenCount: 2, duplicateCount: 0, failedCount: 2 });
  expect(errors).toEqual([
    {
      number: 1,
      line: 2,
      field: 'itemExternalId',
      message: 'itemExternalId must be the externalId of an item, got "nothing".',
    },
    { number: 2, line: 3, field: 'userExternalId', message: 'userExternalId must be given.' },
  ]);
  expect(events.map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
  expect(events.at(-1)?.body).toEqual({
    kind: 'FINISHED',
    status: 'SUCCEEDED',
    message: 'Imported, but for the wrong rows. 4 rows read: 2 written, 0 known already, 2 wrong.',
  });
  expect(await countInteractions(ours)).toBe(2);
  expect(await countInteractions(theirs)).toBe(0);
  expect(await readImport(world, theirs, row?.id ?? expect.fail())).toEqual({ row: undefined, events: [], errors: [] });
  const { uploadId } = row?.order ?? expect.fail();
  expect(await world.deps.objects.exists(uploadKey(ours, uploadId))).toBe(false);
});

test('what was remembered of the users of a file is forgotten, of no other tenant', async () => {
  const [ours, theirs] = [await newTenant(), await newTenant()];
  const { histories } = world.deps;
  const keys = [ours, theirs].map((tenantId) => ({ tenantId, userExternalId: 'user-1' }));
  for (const key of keys) await expect.poll(() => histories.read(key), { timeout: 20_000 }).not.toBeNull();
  const tokens = () => Promise.all(keys.map((key) => histories.token(key)));
  expect(await tokens()).toEqual([expect.any(String), expect.any(String)]);
  await importFile(world, ours, { ...INTERACTIONS, content: interaction(1) });
  expect(await tokens()).toEqual([null, expect.any(String)]);
});

test('a file that comes again adds nothing', async () => {
  const tenantId = await newTenant();
  const content = [1, 2, 3].map((index) => interaction(index)).join('\n');
  await importFile(world, tenantId, { ...INTERACTIONS, content });
  const { row } = await importFile(world, tenantId, { ...INTERACTIONS, content });
  expect(row?.state).toMatchObject({ writtenCount: 0, duplicateCount: 3, failedCount: 0 });
  expect(await countInteractions(tenantId)).toBe(3);
});

test('items of a CSV file are created and replaced, with quotes, line ends in quotes, CRLF and a byte order mark', async () => {
  const tenantId = await newTenant(1);
  const content =
    '\uFEFFtitle,externalId,categories,properties\r\n"A ""great"" film,\nin two lines",item-0,Drama | War,"{""year"": 1999}"\r\nPlain,item-9,,\r\n';
  const { row, errors } = await importFile(world, tenantId, {
    kind: 'ITEMS',
    format: 'CSV',
    errorPolicy: 'REJECT_EVERYTHING',
    content,
  });
  expect(errors).toEqual([]);
  expect(row).toMatchObject({ status: 'SUCCEEDED', state: { rowCount: 2, writtenCount: 2 } });
  expect(await listItems(tenantId)).toMatchObject([
    {
      externalId: 'item-0',
      title: 'A "great" film,\nin two lines',
      categories: ['Drama', 'War'],
      properties: { year: 1999 },
    },
    { externalId: 'item-9', title: 'Plain', categories: [], properties: {} },
  ]);
});

test('where one wrong row rejects everything, no row of the file is written', async () => {
  const tenantId = await newTenant();
  const rows = Array.from({ length: 6_000 }, (_, index) => interaction(index));
  const content = [...rows, interaction(6_000, 'nothing')].join('\n');
  const file = { ...INTERACTIONS, errorPolicy: 'REJECT_EVERYTHING', content } as const;
  const { row, errors } = await importFile(world, tenantId, file);
  expect(row).toMatchObject({ status: 'FAILED', failure: 'Rows are wrong, so nothing was written.' });
  expect(errors).toMatchObject([{ line: 6_001, field: 'itemExternalId' }]);
  expect(await countInteractions(tenantId)).toBe(0);
  const good = await importFile(world, tenantId, { ...file, content: rows.join('\n') });
  expect(good.row).toMatchObject({ status: 'SUCCEEDED', state: { rowCount: 6_000, writtenCount: 6_000 } });
});

test('where failures are ignored, a row keeps its right fields, and what was left out is reported', async () => {
  const tenantId = await newTenant(0);
  const content = [
    '{"externalId":"a","title":"A","categories":"Drama","properties":[1]}',
    '{"externalId":"b","title":5,"categories":["Drama"]}',
  ].join('\n');
  const file = { kind: 'ITEMS', format: 'JSONL', content } as const;
  const { row, errors } = await importFile(world, tenantId, { ...file, errorPolicy: 'IGNORE_FAILED' });
  expect(row?.state).toMatchObject({ writtenCount: 1, failedCount: 1, errorCount: 3 });
  expect(errors.map(({ line, message }) => [line, message])).toEqual([
    [1, 'categories must be a list of text, got "Drama".'],
    [1, 'properties must be a JSON object, got a list.'],
    [2, 'title must be text, got 5.'],
  ]);
  expect(await listItems(tenantId)).toMatchObject([{ externalId: 'a', categories: [], properties: {} }]);
});

const ITEM = '{"externalId":"good","title":"Good"}';

describe('poison in a JSONL file is one wrong row, and its neighbours are written', () => {
  test.each<[string, Buffer | string, string]>([
    ['bytes that are not UTF-8', Buffer.from([0x7b, 0xff, 0xfe, 0x7d]), 'The row is not UTF-8.'],
    ['half of a UTF-8 character', Buffer.from([0x22, 0xe2, 0x82]), 'The row is not UTF-8.'],
    ['a NUL byte', '{"externalId":"a\0","title":"A"}', 'The row holds a NUL byte, its byte 17.'],
    ['a NUL in an escape', '{"externalId":"a\\u0000","title":"A"}', 'externalId must be well-formed text without NUL'],
    ['half of a surrogate pair', '{"externalId":"\\ud800","title":"A"}', 'externalId must be well-formed text'],
    ['a line of 10 MB', `{"title":"${'x'.repeat(10_000_000)}"}`, 'The row is longer than 1,048,576 bytes'],
    ['a list', '[1]', 'The row must be a JSON object.'],
    ['what is no JSON', '{"externalId":', 'The row is not JSON.'],
    ['an unknown field', '{"externalId":"a","title":"A","colour":"red"}', '"colour" is no field: wanted externalId'],
    ['a prototype', '{"externalId":"a","title":"A","__proto__":{"x":1}}', '"__proto__" is no field'],
    [
      'deep nesting',
      `{"externalId":${'['.repeat(50_000)}${']'.repeat(50_000)},"title":"A"}`,
      'externalId must be text, got a list.',
    ],
  ])('%s', async (_name, poison, message) => {
    const tenantId = await newTenant(0);
    const content = Buffer.concat([
      Buffer.from(`${ITEM}\n`),
      Buffer.from(poison),
      Buffer.from(`\n${ITEM.replace('good', 'last')}`),
    ]);
    const { row, errors } = await importFile(world, tenantId, {
      kind: 'ITEMS',
      format: 'JSONL',
      errorPolicy: 'REJECT_FAILED_ROWS',
      content,
    });
    expect(errors).toEqual([
      { number: 1, line: 2, field: errors[0]?.field, message: expect.stringContaining(message) },
    ]);
    expect(row?.state).toMatchObject({ rowCount: 3, writtenCount: 2, failedCount: 1 });
    expect((await listItems(tenantId)).map(({ externalId }) => externalId)).toEqual(['good', 'last']);
  });
});

describe('poison in a CSV file is one wrong row, and its neighbours are written', () => {
  test.each([
    ['too many columns', 'a,A,more', 'The row has 3 columns, wanted 2.'],
    ['too few columns', 'a', 'The row has 1 columns, wanted 2.'],
    ['a quote amid a cell', 'a,A "great" film', 'Column 2 has a quote in a cell that is not quoted.'],
    ['text behind a quote', 'a,"A"b', 'Column 2 has text behind its closing quote.'],
    ['a quote that is not closed', 'a,"A', 'or a quote in it is not closed.'],
    ['an empty title', 'a,', 'title must be given.'],
  ])('%s', async (_name, poison, message) => {
    const tenantId = await newTenant(0);
    const { row, errors } = await importFile(world, tenantId, {
      kind: 'ITEMS',
      format: 'CSV',
      errorPolicy: 'REJECT_FAILED_ROWS',
      content: `externalId,title\ngood,Good\n${poison}\nlast,Last`,
    });
    expect(errors.map((error) => [error.line, error.message])).toEqual([[3, expect.stringContaining(message)]]);
    expect(row?.state).toMatchObject({ rowCount: 3, writtenCount: 2, failedCount: 1 });
  });
});

test.each([
  ['an empty file', ['JSONL', ''], 'The file is empty.'],
  ['a file of a byte order mark alone', ['CSV', '\uFEFF'], 'The file is empty.'],
  [
    'a first line without a needed column',
    ['CSV', 'externalId\na'],
    'The first line lacks the column title: wanted externalId',
  ],
  [
    'a first line with an unknown column',
    ['CSV', 'externalId,title,colour\n'],
    'The first line names the column "colour"',
  ],
  ['a column that comes twice', ['CSV', 'externalId,title,title\n'], 'The first line names the column title twice.'],
  [
    'a first line that is not UTF-8',
    ['CSV', Buffer.from([0xff, 0x0a])],
    'The first line must name the columns. The row is not UTF-8.',
  ],
] as const)('%s is refused with its reason', async (_name, [format, content], message) => {
  const tenantId = await newTenant(0);
  const { row, events } = await importFile(world, tenantId, {
    kind: 'ITEMS',
    format,
    errorPolicy: 'REJECT_FAILED_ROWS',
    content: Buffer.from(content),
  });
  expect(row).toMatchObject({ status: 'FAILED', failure: expect.stringContaining(message) });
  expect(events.at(-1)?.body).toMatchObject({ kind: 'FINISHED', status: 'FAILED' });
});

test('an upload of another tenant is not there', async () => {
  const [ours, theirs] = [await newTenant(), await newTenant(0)];
  const input = await queueImport(world, theirs, { ...INTERACTIONS, content: interaction(1) });
  const { row: stolen } = await readImport(world, theirs, input.jobId);
  const own = await queueImport(world, ours, { ...INTERACTIONS, content: interaction(1) });
  await withTenant(world.deps.db, ours, (tx) =>
    tx.client.job.updateMany({ where: { id: own.jobId }, data: { order: { ...stolen?.order } } }),
  );
  await (await startImport(world, own)).result().catch(() => undefined);
  const { row } = await readImport(world, ours, own.jobId);
  expect(row).toMatchObject({ status: 'FAILED', failure: 'The uploaded file is not there any more.' });
});

test('a worker that is killed loses nothing and counts nothing twice', async () => {
  await using fresh = await openTrainingWorld();
  await using processes = new AsyncDisposableStack();
  processes.use(await spawnWorker(fresh, 'workflows'));
  const doomed = await spawnWorker(fresh, 'data');
  const { tenantId } = await createTestTenant(fresh.deps.db);
  await withTenant(fresh.deps.db, tenantId, (tx) =>
    upsertItems(tx, [{ externalId: 'item-1', title: 'Item', categories: [], properties: {} }]),
  );
  // Without ids of their own, rows that were written twice would be seen twice.
  const anonymous = (index: number) => interaction(index).replace(`"eventId":"event-${index}",`, '');
  const content = Array.from({ length: 60_000 }, (_, index) => (index % 1_000 === 0 ? '{}' : anonymous(index))).join(
    '\n',
  );
  const input = await queueImport(fresh, tenantId, { ...INTERACTIONS, content });
  const handle = await startImport(fresh, input);
  const rowsRead = async () => (await readImport(fresh, tenantId, input.jobId)).row?.state.rowCount ?? 0;
  await expect.poll(rowsRead, { timeout: 60_000, interval: 20 }).toBeGreaterThan(0);
  doomed.child.kill('SIGKILL');
  await once(doomed.child, 'exit');
  expect(await rowsRead()).toBeLessThan(60_000);
  processes.use(await spawnWorker(fresh, 'data'));
  await handle.result();

  const { row, events, errors } = await readImport(fresh, tenantId, input.jobId);
  expect(row).toMatchObject({
    status: 'SUCCEEDED',
    state: { rowCount: 60_000, writtenCount: 59_940, failedCount: 60 },
  });
  expect(errors.map(({ line }) => line)).toEqual(Array.from({ length: 60 }, (_, index) => index * 1_000 + 1));
  expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, index) => index + 1));
  const stored = await withTenant(fresh.deps.db, tenantId, (tx) =>
    tx.client.interaction.count({ where: { tenantId } }),
  );
  expect(stored).toBe(59_940);
}, 400_000);

test('an import that is cancelled stops, and says how far it came', async () => {
  const tenantId = await newTenant();
  const content = Array.from({ length: 200_000 }, (_, index) => interaction(index)).join('\n');
  const input = await queueImport(world, tenantId, { ...INTERACTIONS, content });
  const handle = await startImport(world, input);
  const rowsRead = async () => (await readImport(world, tenantId, input.jobId)).row?.state.rowCount ?? 0;
  await expect.poll(rowsRead, { timeout: 60_000, interval: 20 }).toBeGreaterThan(0);
  const askedAt = performance.now();
  await handle.cancel();
  await expect(handle.result()).rejects.toThrow();
  expect(performance.now() - askedAt).toBeLessThan(10_000);
  const { row, events } = await readImport(world, tenantId, input.jobId);
  expect(row?.status).toBe('CANCELLED');
  const written = row?.state.writtenCount ?? 0;
  expect(written).toBeLessThan(200_000);
  expect(await countInteractions(tenantId)).toBe(written);
  expect(events.at(-1)?.body).toMatchObject({
    kind: 'FINISHED',
    message: expect.stringContaining('The import was cancelled.'),
  });
}, 120_000);
