import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { createTestDatabase } from '@kindred/testing/test-database';
import { createTestTenant } from '@kindred/testing/test-tenant';
import { createTwoTenants } from '@kindred/testing/two-tenants';
import { describe, expect, test } from 'vitest';
import { connectDb } from './client.ts';
import { Prisma } from './generated/client.ts';
import { upsertItems } from './items.ts';
import { readAsTenant } from './read-as-tenant.ts';
import { withTenant } from './tenants.ts';

const item = (title: string) => ({ externalId: 'lamp', title, categories: [], properties: {} });
const TITLES = { name: 'titles', statement: Prisma.sql`SELECT title FROM items` };

/** Two tenants with an item each, which has the name of its tenant. */
async function createWorld() {
  const world = await createTwoTenants();
  for (const [name, { tenantId }] of Object.entries({ ours: world.ours, theirs: world.theirs })) {
    await withTenant(world.db, tenantId, (tx) => upsertItems(tx, [item(name)]));
  }
  return world;
}

/** A way to a server that can keep back its answers until the client has sent a text. */
async function openHoldingWay(to: URL) {
  let awaited: string | null = null;
  const server = createServer((client) => {
    const upstream = connect(Number(to.port), to.hostname);
    for (const socket of [client, upstream]) socket.on('error', () => socket.destroy());
    let held: Buffer[] = [];
    client.on('data', (chunk) => {
      upstream.write(chunk);
      if (awaited === null || !chunk.includes(awaited)) return;
      awaited = null;
      client.write(Buffer.concat(held));
      held = [];
    });
    upstream.on('data', (chunk) => (awaited === null ? client.write(chunk) : held.push(chunk)));
    client.on('close', () => upstream.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error(`Wanted a port, got ${address}`);
  const url = new URL(to);
  url.host = `127.0.0.1:${address.port}`;
  return {
    url: url.href,
    holdUntil: (text: string) => {
      awaited = text;
    },
    [Symbol.asyncDispose]: async () => void server.close(),
  };
}

describe('readAsTenant', () => {
  test('shows the rows of its own tenant only, whoever used the connection before', async () => {
    await using world = await createWorld();
    const { db, ours, theirs } = world;
    const asked = Array.from({ length: 40 }, (_, count) => (count % 2 === 0 ? ours : theirs));
    const answers = await Promise.all(asked.map(({ tenantId }) => readAsTenant(db, tenantId, TITLES)));
    const wanted = asked.map((tenant) => [{ title: tenant === ours ? 'ours' : 'theirs' }]);
    expect(answers).toEqual(wanted);
    expect(db.pipelines.totalCount).toBeLessThanOrEqual(4);
  });

  test('leaves no tenant on its connections, after a failure neither', async () => {
    await using world = await createWorld();
    const { db, ours } = world;
    const left = () => db.pipelines.query(`SELECT current_setting('app.tenant_id', true) AS tenant FROM items`);
    await readAsTenant(db, ours.tenantId, TITLES);
    expect((await left()).rows).toEqual([]);
    const failing = { name: 'failing', statement: Prisma.sql`SELECT title, 1 / 0 FROM items` };
    await expect(readAsTenant(db, ours.tenantId, failing)).rejects.toThrow('division by zero');
    expect((await left()).rows).toEqual([]);
    expect(await readAsTenant(db, ours.tenantId, TITLES)).toEqual([{ title: 'ours' }]);
  });

  test('writes nothing', async () => {
    await using world = await createWorld();
    const { db, ours } = world;
    const write = { name: 'write', statement: Prisma.sql`UPDATE items SET title = 'changed' RETURNING title` };
    await expect(readAsTenant(db, ours.tenantId, write)).rejects.toThrow('read-only transaction');
    expect(await readAsTenant(db, ours.tenantId, TITLES)).toEqual([{ title: 'ours' }]);
  });

  test('has a statement planned once where that is asked for, and each time otherwise', async () => {
    await using world = await createWorld();
    const { db, ours, theirs } = world;
    const statement = (titles: readonly string[]) =>
      Prisma.sql`SELECT title FROM items WHERE tenant_id = ${ours.tenantId}::uuid AND title = ANY (${[...titles]}::text[])`;
    for (let count = 0; count < 12; count++) {
      for (const isPlannedOnce of [true, false]) {
        const read = { name: `once ${isPlannedOnce}`, statement: statement(['ours']), isPlannedOnce };
        expect(await readAsTenant(db, ours.tenantId, read)).toEqual([{ title: 'ours' }]);
        expect(await readAsTenant(db, theirs.tenantId, read)).toEqual([]);
      }
    }
    const plans = await db.pipelines.query(
      `SELECT name, custom_plans > 0 AS often FROM pg_prepared_statements WHERE name LIKE 'once %' ORDER BY name`,
    );
    expect(plans.rows).toEqual([
      { name: 'once false', often: true },
      { name: 'once true', often: false },
    ]);
  });

  test('sends all it has to say before the first answer comes', async () => {
    await using database = await createTestDatabase();
    await using way = await openHoldingWay(new URL(database.appUrl));
    await using db = await connectDb({ url: way.url, applicationName: 'test' });
    const { tenantId } = await createTestTenant(db, 'Ours');
    await withTenant(db, tenantId, (tx) => upsertItems(tx, [item('ours')]));
    await readAsTenant(db, tenantId, TITLES);
    way.holdUntil('COMMIT');
    expect(await readAsTenant(db, tenantId, TITLES)).toEqual([{ title: 'ours' }]);
  });
});
