import { createTwoTenants } from '@kindred/testing/two-tenants';
import { describe, expect, test } from 'vitest';
import { upsertItems } from './items.ts';
import { findTenants, readTenants, withTenant } from './tenants.ts';

const LAMP = { externalId: 'lamp', title: 'Lamp', categories: [], properties: {} };

describe('withTenant', () => {
  test('shows a transaction the rows of its own tenant only', async () => {
    await using world = await createTwoTenants();
    await withTenant(world.db, world.ours.tenantId, (tx) => upsertItems(tx, [LAMP]));
    const seen = await withTenant(world.db, world.theirs.tenantId, (tx) => tx.client.item.findMany());
    expect(seen).toEqual([]);
  });

  test('refuses to write a row under another tenant', async () => {
    await using world = await createTwoTenants();
    const data = { tenantId: world.theirs.tenantId, id: crypto.randomUUID(), externalId: 'x', title: 'x' };
    const written = withTenant(world.db, world.ours.tenantId, (tx) => tx.client.item.create({ data }));
    await expect(written).rejects.toThrow(/row-level security/);
  });

  test('shows a query outside of it nothing', async () => {
    await using world = await createTwoTenants();
    await withTenant(world.db, world.ours.tenantId, (tx) => upsertItems(tx, [LAMP]));
    expect(await world.db.prisma.item.findMany()).toEqual([]);
    expect(await world.db.prisma.tenant.findMany()).toEqual([]);
    expect(await world.db.prisma.membership.findMany()).toEqual([]);
  });

  test('leaves no tenant and no setting of its own on the pooled connections', async () => {
    await using world = await createTwoTenants();
    const work = Array.from({ length: 20 }, () =>
      withTenant(world.db, world.ours.tenantId, (tx) => upsertItems(tx, [LAMP])),
    );
    await Promise.all(work);
    const counts = await Promise.all(
      Array.from({ length: 20 }, () =>
        world.db.pool.query<{ items: number; tenant: string; wait: string }>(
          `SELECT (SELECT count(*)::int FROM items) AS items, current_setting('app.tenant_id', true) AS tenant,
                  current_setting('lock_timeout') AS wait`,
        ),
      ),
    );
    for (const { rows } of counts) {
      expect(rows[0]?.items).toBe(0);
      expect(rows[0]?.tenant ?? '').toBe('');
      expect(rows[0]?.wait).toBe('0');
    }
  });

  test('rolls back when its work throws', async () => {
    await using world = await createTwoTenants();
    const failed = withTenant(world.db, world.ours.tenantId, async (tx) => {
      await upsertItems(tx, [LAMP]);
      throw new Error('changed my mind');
    });
    await expect(failed).rejects.toThrow('changed my mind');
    expect(await withTenant(world.db, world.ours.tenantId, (tx) => tx.client.item.count())).toBe(0);
  });

  test('bounds every statement, lock and pause by a time', async () => {
    await using world = await createTwoTenants();
    const settings = await withTenant(
      world.db,
      world.ours.tenantId,
      (tx) => tx.client.$queryRaw`
        SELECT name, setting::int FROM pg_settings
         WHERE name IN ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout') ORDER BY name`,
    );
    expect(settings).toEqual([
      { name: 'idle_in_transaction_session_timeout', setting: 15_000 },
      { name: 'lock_timeout', setting: 10_000 },
      { name: 'statement_timeout', setting: 20_000 },
    ]);
  });

  test.each([['a\u0000b'], ['a\uD800b']])(
    'answers %j with BAD_USER_INPUT, since it cannot be stored',
    async (title) => {
      await using world = await createTwoTenants();
      const written = withTenant(world.db, world.ours.tenantId, (tx) => upsertItems(tx, [{ ...LAMP, title }]));
      await expect(written).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
    },
  );

  test('stores and reads a time as the same instant, whatever the zone of the server', async () => {
    await using world = await createTwoTenants();
    await world.db.pool.query("SET timezone = 'Asia/Tokyo'");
    const at = new Date('2026-03-29T01:30:00.123Z');
    const rows = await withTenant(
      world.db,
      world.ours.tenantId,
      (tx) =>
        tx.client.$queryRaw`SELECT ${at}::timestamptz AS at, extract(epoch FROM ${at}::timestamptz)::float8 AS epoch`,
    );
    expect(rows).toEqual([{ at, epoch: at.getTime() / 1_000 }]);
  });
});

describe('findTenants', () => {
  test('finds the own tenant and no other', async () => {
    await using world = await createTwoTenants();
    const { ours, theirs } = world;
    const found = await withTenant(world.db, ours.tenantId, (tx) => findTenants(tx, [ours.tenantId, theirs.tenantId]));
    expect(found).toEqual([
      expect.objectContaining({ id: ours.tenantId, name: 'Ours', simulated: false, demoSource: null }),
    ]);
  });
});

describe('readTenants', () => {
  test('reads a tenant as it finds itself, and none else', async () => {
    await using world = await createTwoTenants();
    const { db, ours, theirs } = world;
    const ids = [ours.tenantId, theirs.tenantId];
    const found = await withTenant(db, ours.tenantId, (tx) => findTenants(tx, ids));
    expect(found.map(({ id }) => id)).toEqual([ours.tenantId]);
    expect(await readTenants(db, ours.tenantId, ids)).toEqual(found);
  });
});
