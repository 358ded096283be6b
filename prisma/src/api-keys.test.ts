import { randomBytes } from 'node:crypto';
import { newId } from '@kindred/domain/ids';
import { createTwoTenants } from '@kindred/testing/two-tenants';
import { expect, test } from 'vitest';
import {
  createApiKey,
  findApiKey,
  findApiKeys,
  listApiKeys,
  type NewApiKey,
  revokeApiKey,
  rotateApiKey,
} from './api-keys.ts';
import { withTenant } from './tenants.ts';

function newKey(name: string): NewApiKey {
  return {
    id: newId('ApiKey'),
    name,
    kind: 'PUBLISHABLE',
    preview: 'kp_abc',
    digest: randomBytes(32),
    scopes: ['recommendations:read'],
    allowedOrigins: ['https://shop.example'],
    expiresAt: null,
    replacesId: null,
  };
}

const inAnHour = () => new Date(Date.now() + 3_600_000);
const newRotation = (endsAt = inAnHour()) => {
  const { id, preview, digest } = newKey('');
  return { endsAt, successor: { id, preview, digest } };
};

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
    scopes: ['recommendations:read'],
    allowedOrigins: ['https://shop.example'],
    createdAt: expect.any(Date) as Date,
    expiresAt: null,
    lastUsedAt: null,
    revokedAt: null,
    replacesId: null,
  });
  expect(await findApiKey(db, randomBytes(32))).toBeNull();
  expect(await withTenant(db, ours.tenantId, (tx) => findApiKeys(tx, [key.id]))).toEqual([created]);
  expect(await withTenant(db, theirs.tenantId, (tx) => findApiKeys(tx, [key.id]))).toEqual([]);
  expect(await findApiKey(db, key.digest)).toEqual({
    tenantId: ours.tenantId,
    apiKeyId: key.id,
    scopes: ['recommendations:read'],
    allowedOrigins: ['https://shop.example'],
    expiresAt: null,
  });
});

test('the last use of a key is noted, to the minute, and an expired key opens nothing', async () => {
  await using world = await createTwoTenants();
  const { db, ours } = world;
  const key = { ...newKey('shop'), expiresAt: inAnHour() };
  const expired = { ...newKey('old'), expiresAt: new Date(Date.now() - 1) };
  const read = () => withTenant(db, ours.tenantId, (tx) => findApiKeys(tx, [key.id]));
  await withTenant(db, ours.tenantId, async (tx) => {
    await createApiKey(tx, key);
    await createApiKey(tx, expired);
  });
  expect(await findApiKey(db, key.digest)).toMatchObject({ expiresAt: key.expiresAt });
  const [used] = await read();
  expect(used?.lastUsedAt).toBeInstanceOf(Date);
  await findApiKey(db, key.digest);
  expect(await read()).toEqual([used]);
  expect(await findApiKey(db, expired.digest)).toBeNull();
});

test('a rotation leaves two live keys alike, of which the old one ends; a third there cannot be', async () => {
  await using world = await createTwoTenants();
  const { db, ours, theirs } = world;
  const key = newKey('shop');
  await withTenant(db, ours.tenantId, (tx) => createApiKey(tx, key));
  const rotate = (id: typeof key.id, rotation = newRotation(), { tenantId } = ours) =>
    withTenant(db, tenantId, (tx) => rotateApiKey(tx, id, rotation));
  expect(await rotate(key.id, newRotation(), theirs)).toBeNull();
  const rotation = newRotation();
  const next = await rotate(key.id, rotation);
  expect(next).toMatchObject({ name: 'shop', kind: key.kind, scopes: key.scopes, allowedOrigins: key.allowedOrigins });
  expect(await findApiKey(db, key.digest)).toMatchObject({ expiresAt: rotation.endsAt });
  expect(await findApiKey(db, rotation.successor.digest)).toMatchObject({ expiresAt: null });
  await expect(rotate(key.id)).rejects.toThrow(/rotation .* is taken/);
  await expect(rotate(next?.id ?? key.id)).rejects.toThrow(/rotation .* is taken/);
  await withTenant(db, ours.tenantId, (tx) => revokeApiKey(tx, key.id));
  expect(await rotate(next?.id ?? key.id)).not.toBeNull();
});

test('of ten rotations of one key at the same time one succeeds', async () => {
  await using world = await createTwoTenants();
  const { db, ours } = world;
  const key = newKey('shop');
  await withTenant(db, ours.tenantId, (tx) => createApiKey(tx, key));
  const results = await Promise.allSettled(
    Array.from({ length: 10 }, () => withTenant(db, ours.tenantId, (tx) => rotateApiKey(tx, key.id, newRotation()))),
  );
  expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
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
