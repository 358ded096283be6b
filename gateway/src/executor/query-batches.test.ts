import { setImmediate as nextTick } from 'node:timers/promises';
import { AppError } from '@kindred/domain/app-error';
import { newId } from '@kindred/domain/ids';
import type { Viewer } from '@kindred/domain/viewer';
import { expect, test, vi } from 'vitest';
import type { OperationContext } from '../context.ts';
import type { SubgraphCall, TextAnswer } from '../subgraph-client.ts';
import { QueryBatches } from './query-batches.ts';

const VIEWER: Viewer = { kind: 'apiKey', apiKeyId: newId('ApiKey'), tenantId: newId('Tenant'), scopes: [] };

interface Sent {
  lines: string[];
  context: OperationContext;
  answer(answer?: TextAnswer): void;
  fail(error: Error): void;
}

function createBatches() {
  const sent: Sent[] = [];
  const batches = new QueryBatches({
    send: ({ body }: SubgraphCall, context: OperationContext) =>
      new Promise((resolve, reject) => {
        const lines = body.split('\n');
        const text = lines.map((line) => `answer to ${line}`).join('\n');
        sent.push({
          lines,
          context,
          answer: (answer = { statusCode: 200, text }) => resolve(answer),
          fail: reject,
        });
      }),
  });
  const send = (
    body: string,
    { viewer = VIEWER, operation = 'catalog {a}', signal = new AbortController().signal, deadlineAt = 1_000 } = {},
  ) =>
    batches.send({ name: 'catalog', body, repeatable: true }, operation, {
      viewer,
      traceId: '0',
      clientAddress: '192.0.2.1',
      signal,
      deadlineAt,
    });
  const linesSent = () => sent.map(({ lines }) => lines);
  return { batches, sent, send, linesSent };
}

const textsOf = async (answers: readonly Promise<TextAnswer>[]) => (await Promise.all(answers)).map(({ text }) => text);

const FIRST = ['f1', 'f2', 'f3', 'f4', 'f5', 'f6', 'f7', 'f8'];

/** Eight that are under way, behind which others wait. */
async function createBusyBatches() {
  const world = createBatches();
  const first: Promise<TextAnswer>[] = [];
  for (const body of FIRST) {
    first.push(world.send(body));
    await nextTick();
  }
  return { ...world, first };
}

test('what one turn of the event loop asks for goes in one request, at its end', async () => {
  const { batches, sent, send, linesSent } = createBatches();
  const answers = ['1', '2'].map((body) => send(body));
  expect(linesSent()).toEqual([]);
  await nextTick();
  expect(linesSent()).toEqual([['1', '2']]);
  sent[0]?.answer();
  expect(await textsOf(answers)).toEqual(['answer to 1', 'answer to 2']);
  expect(batches.savedCount).toBe(1);
});

test('the first eight requests wait for no other', async () => {
  const { sent, linesSent, first } = await createBusyBatches();
  expect(linesSent()).toEqual(FIRST.map((body) => [body]));
  for (const one of sent) one.answer();
  expect(await textsOf(first)).toEqual(FIRST.map((body) => `answer to ${body}`));
});

test('those that come meanwhile go in one request when one is back, and each gets its own answer', async () => {
  const { batches, sent, send, linesSent } = await createBusyBatches();
  const later = ['4', '5', '6'].map((body) => send(body));
  expect(sent).toHaveLength(FIRST.length);
  sent[1]?.answer();
  await nextTick();
  expect(linesSent().slice(FIRST.length)).toEqual([['4', '5', '6']]);
  sent.at(-1)?.answer();
  expect(await textsOf(later)).toEqual(['answer to 4', 'answer to 5', 'answer to 6']);
  expect(batches.savedCount).toBe(2);
});

test('they wait no longer than 2 ms for one that is slow', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    const { sent, send, linesSent } = await createBusyBatches();
    void send('4');
    vi.advanceTimersByTime(1);
    expect(sent).toHaveLength(FIRST.length);
    vi.advanceTimersByTime(1);
    expect(linesSent().slice(FIRST.length)).toEqual([['4']]);
  } finally {
    vi.useRealTimers();
  }
});

test.for<[string, Parameters<ReturnType<typeof createBatches>['send']>[1]]>([
  ['another tenant', { viewer: { ...VIEWER, tenantId: newId('Tenant') } as Viewer }],
  ['another API key', { viewer: { ...VIEWER, apiKeyId: newId('ApiKey') } as Viewer }],
  ['other scopes', { viewer: { ...VIEWER, scopes: ['catalog:read'] } as Viewer }],
  ['no credential', { viewer: { kind: 'anonymous', scopes: [] } }],
  ['another operation', { operation: 'catalog {b}' }],
])('a query of %s shares no request with them', async ([, other]) => {
  const busy = await createBusyBatches();
  for (const { sent, send, linesSent } of [createBatches(), busy]) {
    const sentBefore = sent.length;
    for (const body of ['4', '5']) void send(body);
    for (const body of ['a', 'b']) void send(body, other);
    for (const one of sent.slice()) one.answer();
    await nextTick();
    expect(new Set(linesSent().slice(sentBefore).map(String))).toEqual(new Set(['4,5', 'a,b']));
  }
});

test('a request of several waits as long as the most patient of them, and comes from no one address', async () => {
  const { sent, send } = await createBusyBatches();
  void send('4', { deadlineAt: 2_000 });
  void send('5', { deadlineAt: 3_000 });
  sent[0]?.answer();
  await nextTick();
  expect(sent[FIRST.length]?.context).toMatchObject({ deadlineAt: 3_000, clientAddress: undefined, viewer: VIEWER });
});

test('who leaves before it is sent is not in it, and a request ends when all of its queries have left', async () => {
  const { sent, send, linesSent } = await createBusyBatches();
  const [early, late, last] = [new AbortController(), new AbortController(), new AbortController()];
  const answers = [early, late, last].map(({ signal }, index) => send(String(4 + index), { signal }));
  const settled = Promise.allSettled(answers);
  early.abort();
  sent[0]?.answer();
  await nextTick();
  expect(linesSent().at(FIRST.length)).toEqual(['5', '6']);
  late.abort();
  expect(sent[FIRST.length]?.context.signal.aborted).toBe(false);
  last.abort();
  expect(sent[FIRST.length]?.context.signal.aborted).toBe(true);
  expect((await settled).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
});

test('what refuses or fails a request refuses or fails each of its queries', async () => {
  const { sent, send } = await createBusyBatches();
  const refused = ['4', '5'].map((body) => send(body));
  sent[0]?.answer();
  await nextTick();
  const failed = ['6', '7'].map((body) => send(body));
  sent[1]?.answer();
  await nextTick();
  sent[FIRST.length]?.answer({ statusCode: 503, text: 'no' });
  expect(await textsOf(refused)).toEqual(['no', 'no']);
  const outage = new AppError('UNAVAILABLE', 'gone');
  sent[FIRST.length + 1]?.fail(outage);
  for (const answer of failed) await expect(answer).rejects.toBe(outage);
});

test('a query that was not answered among the others fails', async () => {
  const { sent, send } = await createBusyBatches();
  const answers = ['4', '5'].map((body) => send(body));
  sent[0]?.answer();
  await nextTick();
  sent[FIRST.length]?.answer({ statusCode: 200, text: 'only one' });
  const [, second] = await Promise.allSettled(answers);
  expect(second).toMatchObject({ status: 'rejected', reason: new Error('1 of 2 queries were answered') });
});

test('no request holds more than 16 queries', async () => {
  const { sent, send, linesSent } = await createBusyBatches();
  for (let query = 0; query < 24; query++) void send(String(query));
  expect(linesSent().at(FIRST.length)).toHaveLength(16);
  sent[0]?.answer();
  await nextTick();
  expect(linesSent().at(FIRST.length + 1)).toHaveLength(8);
});
