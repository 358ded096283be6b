import { expect, test } from 'vitest';
import { canaryArmOf } from './canary.ts';

const TRIAL = { tenantId: 'tenant-a', trialId: 'version-1', sharePercent: 10 };
const USERS = Array.from({ length: 20_000 }, (_, index) => `user-${index}`);

const membersOf = (trial: typeof TRIAL) => USERS.filter((user) => canaryArmOf(trial, user) === 'CANARY');

test('the share of users that was asked for is on trial, the same ones each time', () => {
  const members = membersOf(TRIAL);
  // Three standard deviations of 20,000 draws at .1 are 0.64 %.
  expect(members.length / USERS.length).toBeGreaterThan(0.0936);
  expect(members.length / USERS.length).toBeLessThan(0.1064);
  expect(membersOf(TRIAL)).toEqual(members);
});

test('a larger share keeps those who are on trial already', () => {
  const larger = new Set(membersOf({ ...TRIAL, sharePercent: 30 }));
  expect(membersOf(TRIAL).every((user) => larger.has(user))).toBe(true);
});

test.each([
  ['another trial', { ...TRIAL, trialId: 'version-2' }],
  ['another tenant', { ...TRIAL, tenantId: 'tenant-b' }],
])('%s draws its users independently', (_name, other) => {
  const members = new Set(membersOf(TRIAL));
  const both = membersOf(other).filter((user) => members.has(user));
  expect(both.length / USERS.length).toBeGreaterThan(0.005);
  expect(both.length / USERS.length).toBeLessThan(0.015);
});
