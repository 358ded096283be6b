import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { newId } from '@kindred/domain/ids';
import type { TestTenant } from '@kindred/testing/test-tenant';
import { createTwoTenants } from '@kindred/testing/two-tenants';
import { expect, test } from 'vitest';
import type { Db } from './client.ts';
import { endSession, endSessions, openSession, refreshSession } from './sessions.ts';
import { withTenant } from './tenants.ts';

const GRACE_MS = 10_000;
const newToken = (expiresInMs = 60_000) => ({
  digest: randomBytes(32),
  expiresAt: new Date(Date.now() + expiresInMs),
});

async function open(db: Db, { tenantId, accountId }: TestTenant, refreshToken = newToken()) {
  await withTenant(db, tenantId, (tx) => openSession(tx, { id: newId('Session'), accountId, refreshToken }));
  return refreshToken.digest;
}

function refresh(db: Db, usedDigest: Uint8Array, next = newToken()) {
  return refreshSession(db, { usedDigest, next, graceMs: GRACE_MS });
}

/** As if the token had been used so long ago. */
async function ageUse(
  db: Db,
  { tenantId }: TestTenant,
  { digest, ageMs }: { digest: Uint8Array; ageMs: number },
): Promise<void> {
  await withTenant(db, tenantId, (tx) =>
    tx.client.refreshToken.updateMany({
      where: { digest: new Uint8Array(digest) },
      data: { usedAt: new Date(Date.now() - ageMs) },
    }),
  );
}

/** Starts `calls` while a transaction holds the tenant's refresh tokens, and lets go once those that run wait for it. */
async function whileHeld<T>(db: Db, { tenantId }: TestTenant, calls: () => Promise<T>[]): Promise<T[]> {
  const holder = await db.pool.connect();
  try {
    await holder.query('BEGIN');
    await holder.query("SELECT set_config('app.tenant_id', $1, true)", [tenantId]);
    await holder.query('SELECT FROM refresh_tokens FOR UPDATE');
    const running = calls();
    // One has the lock of the row, a second one waits for the first.
    for (let waiting = 0; waiting < 2; await pause(5)) {
      const { rows } = await holder.query<{ count: number }>(
        `SELECT count(*)::int FROM pg_locks l JOIN pg_stat_activity a USING (pid)
          WHERE NOT l.granted AND a.datname = current_database()`,
      );
      waiting = rows[0]?.count ?? 0;
    }
    await holder.query('COMMIT');
    return await Promise.all(running);
  } finally {
    holder.release();
  }
}

test('a refresh token gives its session and a successor, and each successor the next', async () => {
  await using world = await createTwoTenants();
  const { db, ours } = world;
  const first = await open(db, ours);
  const second = newToken();
  const member = { outcome: 'REFRESHED', tenantId: ours.tenantId, accountId: ours.accountId, role: 'OWNER' };
  expect(await refresh(db, first, second)).toMatchObject(member);
  expect(await refresh(db, second.digest)).toMatchObject(member);
});

test('50 parallel refreshes with one token give one success, and the session lives on', async () => {
  await using world = await createTwoTenants();
  const { db, ours } = world;
  const digest = await open(db, ours);
  const nexts = Array.from({ length: 50 }, () => newToken());
  const outcomes = await whileHeld(db, ours, () =>
    nexts.map(async (next) => (await refresh(db, digest, next)).outcome),
  );
  expect(outcomes.filter((outcome) => outcome === 'REFRESHED')).toHaveLength(1);
  expect(outcomes.filter((outcome) => outcome === 'JUST_USED')).toHaveLength(49);
  const successor = nexts[outcomes.indexOf('REFRESHED')];
  expect(await refresh(db, successor?.digest ?? Buffer.alloc(0))).toMatchObject({ outcome: 'REFRESHED' });
});

test('a token used again within the grace is refused and ends nothing; after it, the whole family ends', async () => {
  await using world = await createTwoTenants();
  const { db, ours } = world;
  const first = await open(db, ours);
  const [second, third] = [newToken(), newToken()];
  await refresh(db, first, second);
  await ageUse(db, ours, { digest: first, ageMs: GRACE_MS - 1_000 });
  expect(await refresh(db, first)).toMatchObject({ outcome: 'JUST_USED' });
  expect(await refresh(db, second.digest, third)).toMatchObject({ outcome: 'REFRESHED' });
  await ageUse(db, ours, { digest: first, ageMs: GRACE_MS + 1_000 });
  expect(await refresh(db, first)).toMatchObject({ outcome: 'REUSED' });
  expect(await refresh(db, third.digest)).toMatchObject({ outcome: 'UNKNOWN' });
});

test('an expired token, an unknown one, and one of a member who left give nothing', async () => {
  await using world = await createTwoTenants();
  const { db, ours } = world;
  const unknown = { outcome: 'UNKNOWN' };
  expect(await refresh(db, await open(db, ours, newToken(-1)))).toMatchObject(unknown);
  expect(await refresh(db, randomBytes(32))).toMatchObject(unknown);
  const digest = await open(db, ours);
  await withTenant(db, ours.tenantId, (tx) => tx.client.membership.deleteMany({}));
  expect(await refresh(db, digest)).toMatchObject(unknown);
});

test('ending a session ends that one; ending them all ends them all, and nobody else’s', async () => {
  await using world = await createTwoTenants();
  const { db, ours, theirs } = world;
  const [one, two, three, foreign] = [
    await open(db, ours),
    await open(db, ours),
    await open(db, ours),
    await open(db, theirs),
  ];
  expect(await endSession(db, one)).toBe(true);
  expect(await endSession(db, one)).toBe(false);
  expect(await refresh(db, one)).toMatchObject({ outcome: 'UNKNOWN' });
  expect(await refresh(db, two)).toMatchObject({ outcome: 'REFRESHED' });
  expect(await endSessions(db, ours.accountId)).toBe(2);
  expect(await refresh(db, three)).toMatchObject({ outcome: 'UNKNOWN' });
  expect(await refresh(db, foreign)).toMatchObject({ outcome: 'REFRESHED' });
});

test('opening a session forgets the account’s sessions that are over, and shows a tenant its own alone', async () => {
  await using world = await createTwoTenants();
  const { db, ours, theirs } = world;
  await open(db, ours, newToken(-1));
  await open(db, theirs);
  await open(db, ours);
  expect(await withTenant(db, ours.tenantId, (tx) => tx.client.session.count())).toBe(1);
});
