import { randomUUID } from 'node:crypto';
import { openCuttableRedis } from '@kindred/testing/cuttable-redis';
import { testInfrastructure } from '@kindred/testing/infrastructure';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { connectUserHistories, MOST_EVENTS, type RecordedInteraction, type UserKey } from './user-histories.ts';

const histories = connectUserHistories(testInfrastructure().redisUrl);
afterAll(() => histories.close());
beforeAll(() => vi.waitFor(async () => expect(await histories.read(newUser())).not.toBeNull()));

function newUser(): UserKey {
  return { tenantId: randomUUID(), userExternalId: 'someone' };
}

function interaction(key: UserKey, occurredAt: number, itemId = `item-${occurredAt}`): RecordedInteraction {
  return { ...key, userId: 'user', itemId, occurredAt, recordedAt: 7 };
}

async function fill(key: UserKey, occurredAts: number[]): Promise<string | null> {
  const known = await histories.read(key);
  if (known === null) return null;
  return await histories.store(key, {
    ...known,
    userId: 'user',
    events: occurredAts.map((at) => interaction(key, at)),
  });
}

async function itemsOf(key: UserKey): Promise<string[] | null | undefined> {
  return (await histories.read(key))?.events?.map(({ itemId }) => itemId);
}

test('a list that was filled is read, newest first, under the token that filling gave', async () => {
  const key = newUser();
  expect(await histories.read(key)).toMatchObject({ events: null });
  const token = await fill(key, [3, 9, 5]);
  expect(await histories.read(key)).toMatchObject({ token, userId: 'user' });
  expect(await itemsOf(key)).toEqual(['item-9', 'item-5', 'item-3']);
  expect(await histories.token(key)).toBe(token);
});

test('an interaction changes the token and is in the list, in the order of its time, each item once', async () => {
  const key = newUser();
  const token = await fill(key, [1, 5]);
  await histories.add([interaction(key, 3), interaction(key, 8, 'item-1')]);
  expect(await histories.token(key)).not.toBe(token);
  expect(await itemsOf(key)).toEqual(['item-1', 'item-5', 'item-3']);
});

test('a user without interactions is known to have none', async () => {
  const key = newUser();
  await fill(key, []);
  expect(await itemsOf(key)).toEqual([]);
});

test('what was read before an interaction came is not kept', async () => {
  const key = newUser();
  const before = await histories.read(key);
  await histories.add([interaction(key, 4)]);
  expect(await histories.store(key, { token: before?.token ?? '', userId: 'user', events: [] })).toBeNull();
  expect(await histories.read(key)).toMatchObject({ events: null });
});

test('users that are forgotten are read anew, of their own tenant, whatever was being read meanwhile', async () => {
  const keys = Array.from({ length: 1_200 }, (_, user) => ({ ...newUser(), userExternalId: `user-${user}` }));
  const [ours = newUser(), last = newUser()] = [keys[0], keys.at(-1)];
  const theirs = { ...ours, tenantId: randomUUID() };
  for (const key of [ours, last, theirs]) await fill(key, [1]);
  const before = await histories.read(keys[1] ?? ours);
  await histories.forget(keys);
  for (const key of [ours, last]) expect(await itemsOf(key)).toBeUndefined();
  expect(await itemsOf(theirs)).toEqual(['item-1']);
  expect(await histories.store(keys[1] ?? ours, { token: before?.token ?? '', userId: 'user', events: [] })).toBeNull();
});

test('users that Redis could not be told to forget are forgotten when it is back', async () => {
  await using redis = await openCuttableRedis();
  const cut = connectUserHistories(redis.url);
  const [ours, theirs] = [newUser(), newUser()];
  await vi.waitFor(async () => expect(await cut.read(ours)).not.toBeNull());
  for (const key of [ours, theirs]) await fill(key, [1]);
  redis.cut();
  await vi.waitFor(async () => expect(await cut.token(ours)).toBeNull());
  await cut.forget([ours]);
  expect(await itemsOf(ours)).toEqual(['item-1']);
  await redis.mend();
  await expect.poll(() => histories.token(ours), { timeout: 10_000 }).toBeNull();
  expect(await itemsOf(theirs)).toEqual(['item-1']);
  cut.close();
});

test('a list holds the newest interactions only', async () => {
  const key = newUser();
  await fill(
    key,
    Array.from({ length: MOST_EVENTS }, (_, at) => MOST_EVENTS - at),
  );
  await histories.add([interaction(key, MOST_EVENTS + 1)]);
  const items = await itemsOf(key);
  expect(items).toHaveLength(MOST_EVENTS);
  expect(items?.[0]).toBe(`item-${MOST_EVENTS + 1}`);
});

test('the same user id of another tenant is another user', async () => {
  const [ours, theirs] = [newUser(), newUser()];
  const token = await fill(ours, [1]);
  await fill(theirs, [2]);
  await histories.add([interaction(theirs, 3)]);
  expect(await itemsOf(ours)).toEqual(['item-1']);
  expect(await histories.token(ours)).toBe(token);
  expect(await itemsOf(theirs)).toEqual(['item-3', 'item-2']);
});

test('without Redis everything answers null, and adding does not fail', async () => {
  const deaf = connectUserHistories('redis://127.0.0.1:1');
  const key = newUser();
  expect([await deaf.token(key), await deaf.read(key)]).toEqual([null, null]);
  await deaf.add([interaction(key, 1)]);
  deaf.close();
});

test('a Redis that hangs holds one question in a second, and no other', async () => {
  await using redis = await openCuttableRedis();
  const held = connectUserHistories(redis.url);
  const [ours, theirs] = [newUser(), newUser()];
  await vi.waitFor(async () => expect(await held.read(ours)).not.toBeNull());
  redis.hold();
  expect(await held.token(ours)).toBeNull();
  // Until it is asked again.
  let asked = held.token(ours);
  while (!(await isPending(asked))) asked = held.token(ours);
  const others = Array.from({ length: 20 }, () => held.read(theirs));
  expect(await Promise.all(others.map(isPending))).not.toContain(true);
  expect(await asked).toBeNull();
  held.close();
});

/** Whether an answer takes more than what is at hand. */
async function isPending(answer: Promise<unknown>): Promise<boolean> {
  let isThere = false;
  void answer.finally(() => {
    isThere = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  return !isThere;
}
