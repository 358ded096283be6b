import { createHash } from 'node:crypto';
import { createTwoTenants } from '@kindred/testing/two-tenants';
import { expect, test } from 'vitest';
import { findPublishedDocument, MAX_PUBLISHED_DOCUMENTS, publishDocuments } from './published-documents.ts';
import { withTenant } from './tenants.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const DOCUMENT = { body: '{ viewer { scopes } }', content: '{viewer{scopes}}' };

test('a published document is found by its text and by its content, in its tenant only', async () => {
  await using world = await createTwoTenants();
  const { db, ours, theirs } = world;
  for (let time = 0; time < 2; time++) {
    expect(await withTenant(db, ours.tenantId, (tx) => publishDocuments(tx, [DOCUMENT, DOCUMENT]))).toBe(1);
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
    Array.from({ length: count }, (_, index) => ({ body: `{ ${of}${index} }`, content: `{${of}${index}}` }));
  const publish = (count: number, of: string) =>
    withTenant(db, ours.tenantId, (tx) => publishDocuments(tx, many(count, of)));
  expect(await publish(MAX_PUBLISHED_DOCUMENTS - 15, 'a')).toBe(MAX_PUBLISHED_DOCUMENTS - 15);
  const outcomes = await Promise.all(['b', 'c', 'd'].map((of) => publish(10, of)));
  expect(outcomes.filter((count) => count !== null)).toEqual([MAX_PUBLISHED_DOCUMENTS - 5]);
  expect(await withTenant(db, theirs.tenantId, (tx) => publishDocuments(tx, [DOCUMENT]))).toBe(1);
});
