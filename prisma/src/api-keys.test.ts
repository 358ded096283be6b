import { randomBytes } from 'node:crypto';
import { newId } from '@kindred/domain/ids';
import { createTwoTenants } from '@kindred/testing/two-tenants';
import { expect, test } from 'vitest';
import { createApiKey, findApiKey, findApiKeys, listApiKeys, revokeApiKey } from './api-keys.ts';
import { withTenant } from './tenants.ts';

function newKey(name: string) {
  return { id: newId('ApiKey'), name, kind: 'PUBLISHABLE' as const, preview: 'kp_abc', digest: randomBytes(32) };
}

test('a key is found by its digest before a tenant is known, and by its id in its tenant only', async () => {
  await using world = await createTwoTenants();
  const { db, ours, theirs } = world;
  const key = newKey('shop');
  const created = await withTenant(db, ours.tenantId, (tx) => createApiKey(tx, key));
  expect(created).toEqual({
    tenantId: ours.tenantId,
    id: key.id,
    name: 'shop',
    kind: 'PUBLISHABLE',
    preview: 'kp_abc',
    createdAt: expect.any(Date) as Date,
    revokedAt: null,
  });
  expect(await findApiKey(db, key.digest)).toEqual({ tenantId: ours.tenantId, apiKeyId: key.id, kind: 'PUBLISHABLE' });
  expect(await findApiKey(db, randomBytes(32))).toBeNull();
  expect(await withTenant(db, ours.tenantId, (tx) => findApiKeys(tx, [key.id]))).toEqual([created]);
  expect(await withTenant(db, theirs.tenantId, (tx) => findApiKeys(tx, [key.id]))).toEqual([]);
});

test('keys are listed newest first, page after page, for their tenant only', async () => {
  await using world = await createTwoTenants();
  const { db, ours, theirs } = world;
  const keys = ['first', 'second', 'third'].map(newKey);
  await withTenant(db, ours.tenantId, async (tx) => {
    for (const key of keys) {
      await createApiKey(tx, key);
    }
  });
  const page = await withTenant(db, ours.tenantId, (tx) => listApiKeys(tx, { first: 2 }));
  expect(page.map((key) => key.name)).toEqual(['third', 'second']);
  const rest = await withTenant(db, ours.tenantId, (tx) => listApiKeys(tx, { first: 2, afterId: page[1]?.id }));
  expect(rest.map((key) => key.name)).toEqual(['first']);
  expect(await withTenant(db, theirs.tenantId, (tx) => listApiKeys(tx, { first: 2 }))).toEqual([]);
});

test('a revoked key opens nothing more and keeps its first time of revocation', async () => {
  await using world = await createTwoTenants();
  const { db, ours } = world;
  const key = newKey('shop');
  await withTenant(db, ours.tenantId, (tx) => createApiKey(tx, key));
  const first = await withTenant(db, ours.tenantId, (tx) => revokeApiKey(tx, key.id));
  const second = await withTenant(db, ours.tenantId, (tx) => revokeApiKey(tx, key.id));
  expect(first?.revokedAt).toBeInstanceOf(Date);
  expect(second?.revokedAt).toEqual(first?.revokedAt);
  expect(await findApiKey(db, key.digest)).toBeNull();
});

test("another tenant's key cannot be revoked", async () => {
  await using world = await createTwoTenants();
  const { db, ours, theirs } = world;
  const key = newKey('shop');
  await withTenant(db, ours.tenantId, (tx) => createApiKey(tx, key));
  expect(await withTenant(db, theirs.tenantId, (tx) => revokeApiKey(tx, key.id))).toBeNull();
  expect(await findApiKey(db, key.digest)).not.toBeNull();
});
