import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { recordInteractions } from '@kindred/db/interactions';
import { createTwoTenants } from '@kindred/testing/two-tenants';
import { newId, type UserExportId, type UserId } from '@kindred/domain/ids';
import { expect, test } from 'vitest';
import { upsertItems } from './items.ts';
import { type TenantTx, withTenant } from './tenants.ts';
import { countUserRows, deleteUserRows, listUserRows, TABLES_WITHOUT_USERS, USER_TABLES } from './user-data.ts';
import { createUserExport } from './user-exports.ts';
import { findUserByExternalId } from './users.ts';

interface Table {
  name: string;
  columns: string[];
}

/** The tables of the Prisma schema, which drift.test.ts holds to the database. */
async function readTables(): Promise<Table[]> {
  const schema = await readFile(path.join(import.meta.dirname, '..', 'schema.prisma'), 'utf8');
  return [...schema.matchAll(/^model (\w+) \{\n([\s\S]*?)^\}/gm)].map(([, model = '', body = '']) => ({
    name: /@@map\("(\w+)"\)/.exec(body)?.[1] ?? model,
    columns: [...body.matchAll(/^ {2}(\w+) .*?(?:@map\("(\w+)"\).*)?$/gm)].map(
      ([, field = '', column]) => column ?? field,
    ),
  }));
}

test('every table of the schema is said to hold users, or why it does not', async () => {
  const tables = await readTables();
  expect(tables.length).toBeGreaterThan(20);
  const listed = [...Object.keys(USER_TABLES), ...Object.keys(TABLES_WITHOUT_USERS)];
  expect(listed.toSorted()).toEqual(tables.map(({ name }) => name).toSorted());
});

test('every table with a column that names a user is one of those that are exported and erased', async () => {
  const naming = (await readTables()).filter(({ columns }) =>
    columns.some((column) => /^(end_?)?user_?id$/i.test(column)),
  );
  // The proof of an erasure keeps the id that names nobody any more.
  const wanted = naming.map(({ name }) => name).filter((name) => name !== 'erasures');
  expect(wanted.toSorted()).toEqual(
    Object.keys(USER_TABLES)
      .filter((name) => name !== 'users')
      .toSorted(),
  );
});

async function seed(tx: TenantTx): Promise<{ userId: UserId; exportId: UserExportId }> {
  await upsertItems(tx, [{ externalId: 'item', title: 'Item', categories: [], properties: {} }]);
  const rows = ['first', 'second'].map((eventId) => {
    return { eventId, userExternalId: 'person', itemExternalId: 'item', type: 'VIEW' as const, occurredAt: new Date() };
  });
  await recordInteractions(tx, rows);
  const user = await findUserByExternalId(tx, 'person');
  if (user === null) throw new Error('Wanted a user, got none.');
  const exportId = newId('UserExport');
  await createUserExport(tx, { id: exportId, userId: user.id, validMinutes: 5 });
  return { userId: user.id, exportId };
}

test('a user’s rows are listed, counted and deleted table by table, and those of another tenant’s user stay', async () => {
  await using world = await createTwoTenants();
  const { db, ours, theirs } = world;
  const own = await withTenant(db, ours.tenantId, seed);
  const foreign = await withTenant(db, theirs.tenantId, seed);
  const counts = [
    { table: 'interactions', count: 2 },
    { table: 'user_exports', count: 1 },
    { table: 'users', count: 1 },
  ];
  await withTenant(db, ours.tenantId, async (tx) => {
    expect(await countUserRows(tx, own.userId)).toEqual(counts);
    expect(await countUserRows(tx, foreign.userId)).toEqual(counts.map(({ table }) => ({ table, count: 0 })));
    const [first, ...rest] = await listUserRows(tx, 'interactions', { userId: own.userId });
    expect(JSON.parse(first?.json ?? '{}')).toMatchObject({ user_id: own.userId, event_id: 'first' });
    expect(await listUserRows(tx, 'interactions', { userId: own.userId, afterId: first?.id })).toEqual(rest);
    await deleteUserRows(tx, foreign.userId);
    const deleted = await deleteUserRows(tx, own.userId);
    expect(deleted.map(({ table, rowCount }) => ({ table, count: rowCount }))).toEqual(counts);
    expect((await countUserRows(tx, own.userId)).every(({ count }) => count === 0)).toBe(true);
  });
  expect(await withTenant(db, theirs.tenantId, (tx) => countUserRows(tx, foreign.userId))).toEqual(counts);
});
