import { newId } from '@kindred/domain/ids';
import type { Viewer } from '@kindred/domain/viewer';
import { createLogger } from '@kindred/service/logger';
import { expect, test } from 'vitest';
import { createLocalRateStore } from './local-rate-store.ts';
import { createRateLimiter, type RatePolicy } from './rate-limiter.ts';
import type { RateStore } from './rate-store.ts';

const PLENTY = { pointsPerSecond: 1_000, burst: 10_000 };
const POLICY: RatePolicy = {
  credential: { pointsPerSecond: 10, burst: 100 },
  tenant: { pointsPerSecond: 10, burst: 150 },
  address: PLENTY,
  anonymousAddress: { pointsPerSecond: 1, burst: 5 },
};
const OPEN = { failsClosed: false };

/** A limiter with a clock of its own, whose shared store can go away. */
function createTestLimiter() {
  let now = 0;
  const clock = () => now;
  const store = createLocalRateStore(clock);
  const state = { works: true, calls: 0, answer: Promise.resolve() };
  const shared: RateStore = {
    take: async (...request) => {
      state.calls += 1;
      await state.answer;
      if (!state.works) throw new Error('gone');
      return await store.take(...request);
    },
  };
  const logger = createLogger('test', 'silent');
  const limiter = createRateLimiter({
    shared,
    local: createLocalRateStore(clock),
    policyOf: () => POLICY,
    logger,
    now: clock,
  });
  return { limiter, state, pass: (ms: number) => (now += ms) };
}

const keyOf = (tenantId = newId('Tenant')): Viewer => ({
  kind: 'apiKey',
  apiKeyId: newId('ApiKey'),
  tenantId,
  scopes: [],
});

test('each credential has its own points, and all of a tenant share the tenant’s', async () => {
  const { limiter } = createTestLimiter();
  const tenantId = newId('Tenant');
  const [first, second] = [keyOf(tenantId), keyOf(tenantId)];
  const charge = (viewer: Viewer, points: number) => limiter.charge({ viewer, address: '1', plan: null }, points, OPEN);
  await charge(first, 100);
  await expect(charge(first, 1)).rejects.toMatchObject({ code: 'RATE_LIMITED', retryAfterS: 1 });
  await charge(second, 50);
  await expect(charge(second, 1)).rejects.toMatchObject({ code: 'RATE_LIMITED' });
  await charge(keyOf(), 100);
});

test('whoever has no credential is charged by address', async () => {
  const { limiter } = createTestLimiter();
  const viewer: Viewer = { kind: 'anonymous', scopes: [] };
  await limiter.charge({ viewer, address: '1', plan: null }, 5, OPEN);
  await expect(limiter.charge({ viewer, address: '1', plan: null }, 5, OPEN)).rejects.toMatchObject({ retryAfterS: 5 });
  await limiter.charge({ viewer, address: '2', plan: null }, 5, OPEN);
});

test('what an operation did not use is left for the next one', async () => {
  const { limiter } = createTestLimiter();
  const payer = { viewer: keyOf(), address: '1', plan: null };
  const charge = await limiter.charge(payer, 100, OPEN);
  expect(charge.remaining()).toBe(0);
  charge.refund(60);
  expect(charge.remaining()).toBe(60);
  await limiter.charge(payer, 60, OPEN);
  await expect(limiter.charge(payer, 1, OPEN)).rejects.toMatchObject({ code: 'RATE_LIMITED' });
});

test('a busy payer goes to the store for one operation in several, and gets no more for it', async () => {
  const { limiter, state, pass } = createTestLimiter();
  const payer = { viewer: keyOf(), address: '1', plan: null };
  let granted = 0;
  for (let ms = 0; ms < 20_000; ms += 10) {
    granted += await limiter.charge(payer, 1, OPEN).then(
      () => 1,
      () => 0,
    );
    pass(10);
  }
  expect(granted).toBeLessThanOrEqual(100 + 200);
  expect(granted).toBeGreaterThan(270);
  expect(state.calls).toBeLessThan(2_000);
});

test('points taken in advance and not used in time are lost, not saved up', async () => {
  const { limiter, state, pass } = createTestLimiter();
  const payer = { viewer: keyOf(), address: '1', plan: null };
  (await limiter.charge(payer, 80, OPEN)).refund(80);
  pass(5_001);
  const before = state.calls;
  await limiter.charge(payer, 5, OPEN);
  expect(state.calls).toBe(before + 1);
});

test('without the store reads go on with buckets of this process, and sign-in does not', async () => {
  const { limiter, state } = createTestLimiter();
  state.works = false;
  const payer = { viewer: keyOf(), address: '1', plan: null };
  await limiter.charge(payer, 90, OPEN);
  await expect(limiter.charge(payer, 20, OPEN)).rejects.toMatchObject({ code: 'RATE_LIMITED' });
  await expect(limiter.charge(payer, 1, { failsClosed: true })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
});

test('a store that failed is left alone for a second, then asked again', async () => {
  const { limiter, state, pass } = createTestLimiter();
  state.works = false;
  for (let call = 0; call < 10; call++) await limiter.charge({ viewer: keyOf(), address: '1', plan: null }, 1, OPEN);
  expect(state.calls).toBe(1);
  state.works = true;
  pass(1_001);
  await limiter.charge({ viewer: keyOf(), address: '1', plan: null }, 1, { failsClosed: true });
  expect(state.calls).toBe(2);
});

test('a store that hangs holds one operation in a second, and no other, of two tenants', async () => {
  const { limiter, state, pass } = createTestLimiter();
  const [ours, theirs] = [keyOf(), keyOf()].map((viewer) => ({ viewer, address: '1', plan: null }));
  if (ours === undefined || theirs === undefined) throw new Error('Wanted two payers.');
  state.works = false;
  await limiter.charge(ours, 1, OPEN);
  const { promise, resolve } = Promise.withResolvers<void>();
  state.answer = promise;
  pass(1_001);
  const held = limiter.charge(ours, 1, OPEN);
  for (let call = 0; call < 5; call++) await limiter.charge(theirs, 1, OPEN);
  expect(state.calls).toBe(2);
  state.works = true;
  resolve();
  await held;
  await limiter.charge(theirs, 1, OPEN);
  await limiter.charge(ours, 100 - 3, OPEN).catch(() => undefined);
  expect(state.calls).toBe(4);
});
