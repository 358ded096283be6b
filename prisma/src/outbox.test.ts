import { createTwoTenants } from '@kindred/testing/two-tenants';
import { expect, test } from 'vitest';
import { appendOutbox, findOutboxTenants, publishOutbox } from './outbox.ts';
import { withTenant } from './tenants.ts';

const soon = () => new Date(Date.now() + 60_000);

test('messages of one tenant are published in order, once each, and those of another stay', async () => {
  await using world = await createTwoTenants();
  const { db, ours, theirs } = world;
  await withTenant(db, ours.tenantId, async (tx) => {
    for (const number of [1, 2, 3]) await appendOutbox(tx, { topic: 'ours', message: { number } });
  });
  await withTenant(db, theirs.tenantId, (tx) => appendOutbox(tx, { topic: 'theirs', message: { number: 9 } }));
  const said: string[] = [];
  const publish = async (topic: string, message: string) => void said.push(`${topic} ${message}`);
  expect(await publishOutbox(db, ours.tenantId, publish)).toBe(3);
  expect(said).toEqual(['ours {"number":1}', 'ours {"number":2}', 'ours {"number":3}']);
  expect(await publishOutbox(db, ours.tenantId, publish)).toBe(0);
  expect(await findOutboxTenants(db, soon())).toEqual([theirs.tenantId]);
});

test('a message that was not taken stays with all behind it, for the next to send', async () => {
  await using world = await createTwoTenants();
  const { db, ours } = world;
  await withTenant(db, ours.tenantId, async (tx) => {
    for (const number of [1, 2]) await appendOutbox(tx, { topic: 'ours', message: { number } });
  });
  const refuse = async () => {
    throw new Error('Redis is away.');
  };
  await expect(publishOutbox(db, ours.tenantId, refuse)).rejects.toThrow('Redis is away.');
  expect(await findOutboxTenants(db, soon())).toEqual([ours.tenantId]);
  expect(await findOutboxTenants(db, new Date(Date.now() - 60_000))).toEqual([]);
  expect(await publishOutbox(db, ours.tenantId, async () => {})).toBe(2);
});

test('a message of a change that was rolled back is never sent', async () => {
  await using world = await createTwoTenants();
  const { db, ours } = world;
  const failing = withTenant(db, ours.tenantId, async (tx) => {
    await appendOutbox(tx, { topic: 'ours', message: { number: 1 } });
    throw new Error('rolled back');
  });
  await expect(failing).rejects.toThrow('rolled back');
  expect(await findOutboxTenants(db, soon())).toEqual([]);
});
