import { createHash } from 'node:crypto';
import { newId } from '@kindred/domain/ids';
import { createTwoTenants } from '@kindred/testing/two-tenants';
import { expect, test } from 'vitest';
import {
  findPublishedDocument,
  listPublishedDocuments,
  MAX_PUBLISHED_DOCUMENTS,
  publishDocuments,
  withdrawDocuments,
} from './published-documents.ts';
import { type TenantTx, withTenant } from './tenants.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const DOCUMENT = { body: '{ viewer { scopes } }', content: '{viewer{scopes}}', name: null };
const PUBLISHER = { kind: 'account', id: newId('Account') } as const;

test('a published document is found by its text and by its content, in its tenant only', async () => {
  await using world = await createTwoTenants();
  const { db, ours, theirs } = world;
  for (let time = 0; time < 2; time++) {
    expect(await withTenant(db, ours.tenantId, (tx) => publishDocuments(tx, [DOCUMENT, DOCUMENT], PUBLISHER))).toBe(1);
  }
  for (const text of [DOCUMENT.body, DOCUMENT.content]) {
    const find = (tenantId: typeof ours.tenantId) =>
      withTenant(db, tenantId, (tx) => findPublishedDocument(tx, sha256(text)));
    expect(await find(ours.tenantId)).toBe(DOCUMENT.body);
    expect(await find(theirs.tenantId)).toBeNull();
  }
  expect(await withTenant(db, ours.tenantId, (tx) => findPublishedDocument(tx, sha256('{ other }')))).toBeNull();
});

test('a tenant publishes so many documents and no more, also at the same time', async () => {
  await using world = await createTwoTenants();
  const { db, ours, theirs } = world;
  const many = (count: number, of: string) =>
    Array.from({ length: count }, (_, index) => ({
      body: `{ ${of}${index} }`,
      content: `{${of}${index}}`,
      name: null,
    }));
  const publish = (count: number, of: string) =>
    withTenant(db, ours.tenantId, (tx) => publishDocuments(tx, many(count, of), PUBLISHER));
  expect(await publish(MAX_PUBLISHED_DOCUMENTS - 15, 'a')).toBe(MAX_PUBLISHED_DOCUMENTS - 15);
  const outcomes = await Promise.all(['b', 'c', 'd'].map((of) => publish(10, of)));
  expect(outcomes.filter((count) => count !== null)).toEqual([MAX_PUBLISHED_DOCUMENTS - 5]);
  expect(await withTenant(db, theirs.tenantId, (tx) => publishDocuments(tx, [DOCUMENT], PUBLISHER))).toBe(1);
});

const named = (name: string) => ({ body: `query ${name} { viewer { scopes } }`, content: name, name });
const namesOf = async (tx: TenantTx, namePrefix = '') =>
  (await listPublishedDocuments(tx, { first: 10, after: null, namePrefix })).map(({ name }) => name);

test('documents are listed page by page, newest first, by the beginning of their names, of their tenant only', async () => {
  await using world = await createTwoTenants();
  const { db, ours, theirs } = world;
  const names = ['ShelfA', 'ShelfB', 'Cart', 'Shelf_C'];
  for (const name of names) {
    await withTenant(db, ours.tenantId, (tx) => publishDocuments(tx, [named(name)], PUBLISHER));
  }
  await withTenant(db, theirs.tenantId, (tx) => publishDocuments(tx, [named('ShelfX'), DOCUMENT], PUBLISHER));
  await withTenant(db, ours.tenantId, async (tx) => {
    expect(await namesOf(tx)).toEqual(names.toReversed());
    expect(await namesOf(tx, 'Shelf_')).toEqual(['Shelf_C']);
    expect(await namesOf(tx, 'shelf')).toEqual([]);
    const read: (string | null)[] = [];
    let after = null;
    for (let page = 0; page < names.length; page++) {
      const [row]: Awaited<ReturnType<typeof listPublishedDocuments>> = await listPublishedDocuments(tx, {
        first: 1,
        after,
        namePrefix: '',
      });
      if (row === undefined) throw new Error(`Wanted a row on page ${page}`);
      read.push(row.name);
      after = row;
      expect(row).toMatchObject({ digest: sha256(row.body), publisher: PUBLISHER, tenantId: ours.tenantId });
    }
    expect(read).toEqual(names.toReversed());
  });
});

test('documents are withdrawn all or none, once, and in their tenant only', async () => {
  await using world = await createTwoTenants();
  const { db, ours, theirs } = world;
  const [one, other] = [named('One'), named('Other')];
  const digests = [one, other].map(({ body }) => sha256(body));
  for (const { tenantId } of [ours, theirs]) {
    await withTenant(db, tenantId, (tx) => publishDocuments(tx, [one, other], PUBLISHER));
  }
  const withdraw = (some: string[]) => withTenant(db, ours.tenantId, (tx) => withdrawDocuments(tx, some));
  const unknown = sha256('nothing');
  expect(await withdraw([...digests, unknown])).toEqual([unknown]);
  expect(await withTenant(db, ours.tenantId, (tx) => namesOf(tx))).toHaveLength(2);
  // Of two at the same time one finds nothing left.
  const outcomes = await Promise.all([withdraw(digests), withdraw(digests)]);
  expect(outcomes.map(({ length }) => length).toSorted((a, b) => a - b)).toEqual([0, 2]);
  expect(await withTenant(db, ours.tenantId, (tx) => namesOf(tx))).toEqual([]);
  expect(await withTenant(db, theirs.tenantId, (tx) => namesOf(tx))).toHaveLength(2);
});
