import { expect, test } from 'vitest';
import { CHECK_MS, createLoadLimit, type LoadLimit } from './load-limit.ts';

/** A limit with a clock of its own, under a load that always wants more than is let in. */
function createTestLimit() {
  let now = 0;
  let busyShare = 0;
  /** What a doorkeeper was told, and what it says. */
  const door = { told: [] as boolean[], refused: 0, asked: 0 };
  const doorkeeper = {
    setFull: (isFull: boolean) => void door.told.push(isFull),
    get refused() {
      return door.refused;
    },
    takeAsked: () => door.asked,
  };
  const limit = createLoadLimit({ doorkeeper, readBusyShare: () => busyShare, now: () => now });
  /** Each from another connection, or from those given. */
  const begin = (count: number, connections: readonly object[] = []) =>
    Array.from({ length: count }, (_, index) => limit.begin(connections[index] ?? {})).filter(Boolean).length;
  const pass = (ms: number, share: number) => {
    busyShare = share;
    for (let passed = 0; passed < ms; passed += CHECK_MS) {
      now += CHECK_MS;
      limit.check();
    }
  };
  return { limit, begin, pass, door };
}

function endAll(limit: LoadLimit): void {
  for (let count = limit.stats().underWay; count > 0; count--) limit.end();
}

test('an event loop that is busy for a moment lets in whatever comes', () => {
  const { limit, begin, pass } = createTestLimit();
  begin(1_000);
  pass(500, 0.3);
  pass(600, 1);
  expect(begin(1_000)).toBe(1_000);
  expect(limit.stats()).toMatchObject({ underWay: 2_000, shed: 0 });
});

test('one that idles for a moment while it has too much to do does not let in more', () => {
  const { limit, begin, pass } = createTestLimit();
  begin(1_000);
  pass(2_000, 1);
  endAll(limit);
  for (let turn = 0; turn < 20; turn++) {
    expect(begin(1_000)).toBe(112);
    endAll(limit);
    pass(20, 0.8);
    pass(180, 1);
  }
});

test('one that stays busy lets in fewer and fewer, but never fewer than it takes to use up a core', () => {
  const { limit, begin, pass } = createTestLimit();
  begin(1_000);
  pass(900, 1);
  const { limit: first } = limit.stats();
  expect(first).toBeLessThan(1_000);
  expect(first).toBeGreaterThan(112);
  expect(begin(1)).toBe(0);
  pass(5_000, 1);
  endAll(limit);
  expect(begin(1_000)).toBe(112);
  expect(limit.stats().shed).toBe(1 + 1_000 - 112);
});

test('where there was no room, others are let in once seven tenths of it are free', () => {
  const { limit, begin, pass } = createTestLimit();
  begin(1_000);
  pass(5_000, 1);
  endAll(limit);
  expect(begin(200)).toBe(112);
  for (let count = 0; count < 78; count++) limit.end();
  expect(begin(100)).toBe(0);
  limit.end();
  expect(begin(30)).toBe(30);
  expect(begin(60)).toBe(49);
});

test('one that is busy with no more than a hundred and twenty-eight refuses none of them', () => {
  const { limit, begin, pass } = createTestLimit();
  for (let turn = 0; turn < 200; turn++) {
    expect(begin(128)).toBe(128);
    pass(20, 1);
    endAll(limit);
  }
});

test('after too many came from everywhere, those of a hundred and twenty-eight connections are not refused for long, however often they ask again', () => {
  const { limit, begin, pass } = createTestLimit();
  begin(1_000);
  pass(5_000, 1);
  endAll(limit);
  const connections = Array.from({ length: 128 }, () => ({}));
  const admitted: number[] = [];
  for (let turn = 0; turn < 50; turn++) {
    const first = begin(128, connections);
    const refused = connections.slice(first);
    admitted.push(first + begin(refused.length, refused));
    pass(20, 1);
    endAll(limit);
  }
  expect(admitted[0]).toBe(112);
  expect(admitted.slice(30)).toEqual(Array(20).fill(128));
});

test('the requests of many connections that ask one after the other are too many all the same', () => {
  const { limit, begin, pass } = createTestLimit();
  begin(1_000);
  pass(5_000, 1);
  endAll(limit);
  for (let turn = 0; turn < 100; turn++) {
    expect(begin(120)).toBe(112);
    pass(20, 1);
    endAll(limit);
  }
});

test('what came before there was too much says nothing of how many ask now', () => {
  const { limit, begin, pass } = createTestLimit();
  begin(1);
  pass(1_100, 1);
  begin(139);
  for (let turn = 0; turn < 12; turn++) {
    begin(5);
    pass(20, 1);
    expect(limit.stats().limit).toBeLessThan(140);
  }
});

test('one that keeps up again lets in more and more as it is asked to', () => {
  const { limit, begin, pass } = createTestLimit();
  begin(1_000);
  pass(5_000, 1);
  endAll(limit);
  let admitted = 0;
  for (let turn = 0; turn < 60; turn++) {
    admitted = begin(1_000);
    pass(20, 0.95);
    endAll(limit);
  }
  expect(admitted).toBe(1_000);
});

test('what waits for a slow subgraph while the loop idles is not held against it', () => {
  const { limit, begin, pass } = createTestLimit();
  for (let turn = 0; turn < 200; turn++) {
    begin(20);
    pass(20, 0.5);
  }
  expect(limit.stats()).toMatchObject({ underWay: 4_000, shed: 0 });
});

test('forgets a load that is over, however few come: a burst after it is let in whole', () => {
  const { limit, begin, pass } = createTestLimit();
  begin(1_000);
  pass(5_000, 1);
  endAll(limit);
  pass(200, 0.5);
  expect(limit.stats().limit).toBeLessThan(200);
  pass(200, 0.5);
  expect(begin(1_000)).toBe(1_000);
});

test('a doorkeeper is told when there is no room, and when there is again', () => {
  const { limit, begin, pass, door } = createTestLimit();
  begin(1_000);
  expect(door.told).toEqual([]);
  pass(5_000, 1);
  expect(door.told).toEqual([true]);
  for (let count = 0; count < 967; count++) limit.end();
  expect(door.told).toEqual([true, false]);
  begin(78);
  expect(door.told).toEqual([true, false]);
  begin(1);
  expect(door.told).toEqual([true, false, true]);
});

test('what a doorkeeper refuses counts as shed, and shows that more is asked for than is let in', () => {
  const { limit, begin, pass, door } = createTestLimit();
  begin(1_000);
  pass(5_000, 1);
  endAll(limit);
  door.asked = 1_000;
  begin(111);
  pass(500, 0.95);
  expect(limit.stats()).toEqual({ underWay: 111, limit: 112, shed: 0 });
  door.refused = 10;
  pass(20, 0.95);
  expect(limit.stats()).toEqual({ underWay: 111, limit: 124, shed: 10 });
});

test.each([
  [16, 10_000],
  [17, 112],
])('with 112 connections that are let in and %i of which a doorkeeper knows the limit is %i', (asked, expected) => {
  const { limit, begin, pass, door } = createTestLimit();
  begin(1_000);
  pass(5_000, 1);
  endAll(limit);
  door.asked = asked;
  const connections = Array.from({ length: 112 }, () => ({}));
  for (let turn = 0; turn < 50; turn++) {
    expect(begin(112, connections)).toBe(112);
    pass(20, 1);
    endAll(limit);
  }
  expect(limit.stats().limit).toBe(expected);
});
