import { afterEach, beforeAll, expect, test, vi } from 'vitest';
import { ANYBODY, createTestOperations, readGraph } from './executor/test-sockets.ts';
import { iterate } from './operation-results.ts';
import { createLoadLimit } from './overload/load-limit.ts';

const QUERY = '{ viewer { scopes ... @defer { role } } ... @defer { tenant { name } } }';
const CONSUMER = { credential: ANYBODY, traceId: '0'.repeat(32), isWatched: true };

let graph: Awaited<ReturnType<typeof readGraph>>;
beforeAll(async () => {
  graph = await readGraph();
});
afterEach(() => void vi.useRealTimers());

async function admit(load = createLoadLimit()) {
  const { operations, spent } = createTestOperations(graph, load);
  const request = { query: QUERY, operationName: undefined, variables: {}, extensions: {}, documentId: undefined };
  const caller = { credential: ANYBODY, address: '127.0.0.1' };
  const admitted = await operations.admit({ request, caller, acceptsParts: true });
  if (!('open' in admitted)) throw new Error(`Wanted an operation, got ${JSON.stringify(admitted)}`);
  return { admitted, spent, load };
}

const read = (result: IteratorResult<string, undefined>) => JSON.parse(result.value ?? 'null') as unknown;

test('what is left in the middle is settled once, and nothing of it is under way', async () => {
  const { admitted, spent, load } = await admit();
  const results = iterate(admitted.open(CONSUMER));
  expect(read(await results.next())).toMatchObject({ hasNext: true });
  expect(load.stats().underWay).toBe(1);
  for (let time = 0; time < 2; time++) await results.return?.();
  expect((await results.next()).done).toBe(true);
  await expect.poll(() => load.stats().underWay).toBe(0);
  expect(spent).toEqual(['settled']);
});

test('what is never asked for, or dropped, is not run and costs nothing', async () => {
  for (const way of ['return', 'drop'] as const) {
    const { admitted, spent, load } = await admit();
    if (way === 'drop') admitted.drop();
    else admitted.open(CONSUMER).end();
    expect(spent).toEqual(['cancelled']);
    expect(load.stats().underWay).toBe(0);
  }
});

test('what is not read in the time of an operation is dropped, and the reader is told', async () => {
  const { admitted, spent, load } = await admit();
  const results = iterate(admitted.open(CONSUMER));
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  expect(read(await results.next())).toMatchObject({ hasNext: true });
  vi.advanceTimersByTime(30_000);
  vi.useRealTimers();
  await expect.poll(() => load.stats().underWay).toBe(0);
  expect(spent).toEqual(['settled']);
  expect(read(await results.next())).toMatchObject({ errors: [{ extensions: { code: 'TIMEOUT' } }], hasNext: false });
  expect((await results.next()).done).toBe(true);
});

test('whoever is slow to take the last part is not late', async () => {
  const { admitted } = await admit();
  const results = iterate(admitted.open(CONSUMER));
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  let message = read(await results.next()) as { hasNext: boolean };
  while (message.hasNext) message = read(await results.next()) as { hasNext: boolean };
  expect(message).toMatchObject({ incremental: [{}], extensions: { cost: {} } });
  vi.advanceTimersByTime(30_000);
  expect((await results.next()).done).toBe(true);
});

test('where there is too much to do, it is refused without being run, and costs nothing', async () => {
  const { admitted, spent } = await admit({ ...createLoadLimit(), begin: () => false });
  const results = iterate(admitted.open(CONSUMER));
  expect(read(await results.next())).toMatchObject({ errors: [{ extensions: { code: 'UNAVAILABLE' } }] });
  expect((await results.next()).done).toBe(true);
  expect(spent).toEqual(['cancelled']);
});
