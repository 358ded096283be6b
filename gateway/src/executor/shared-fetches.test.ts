import { AppError } from '@kindred/domain/app-error';
import { newId } from '@kindred/domain/ids';
import type { Viewer } from '@kindred/domain/viewer';
import { expect, test } from 'vitest';
import type { OperationContext } from '../context.ts';
import { SharedFetches } from './shared-fetches.ts';

const tenantId = newId('Tenant');
const apiKeyId = newId('ApiKey');
const VIEWER: Viewer = { kind: 'apiKey', apiKeyId, tenantId, scopes: ['catalog:read'] };
const REQUEST = { name: 'catalog', body: '{}' };

function createFetches() {
  const sent: { context: OperationContext; answer: (text: string) => void; fail: (error: Error) => void }[] = [];
  const send = (context: OperationContext) =>
    new Promise<string>((resolve, reject) => sent.push({ context, answer: resolve, fail: reject }));
  const fetches = new SharedFetches<string>();
  const get = (viewer: Viewer = VIEWER, signal = new AbortController().signal) =>
    fetches.get(REQUEST, { viewer, traceId: '0', signal, deadlineAt: Infinity }, send);
  return { fetches, sent, get };
}

test('what is asked for twice at once is fetched once', async () => {
  const { fetches, sent, get } = createFetches();
  const both = Promise.all([get(), get({ ...VIEWER })]);
  sent[0]?.answer('text');
  expect(await both).toEqual(['text', 'text']);
  expect(sent).toHaveLength(1);
  expect(fetches.sharedCount).toBe(1);
});

test.for<[string, Viewer]>([
  ['another tenant', { ...VIEWER, tenantId: newId('Tenant') }],
  ['another API key', { ...VIEWER, apiKeyId: newId('ApiKey') }],
  ['other scopes', { ...VIEWER, scopes: [] }],
  ['no credential', { kind: 'anonymous', scopes: ['catalog:read'] }],
])('nothing is shared with %s', ([, viewer]) => {
  const { sent, get } = createFetches();
  void get();
  void get(viewer);
  expect(sent).toHaveLength(2);
});

test('an answer that has come is not given again', async () => {
  const { sent, get } = createFetches();
  const first = get();
  sent[0]?.answer('old');
  await first;
  void get();
  expect(sent).toHaveLength(2);
});

test('nobody joins a fetch that began before a mutation of the tenant ended', async () => {
  const { fetches, sent, get } = createFetches();
  const before = get();
  fetches.separate(VIEWER);
  const after = get();
  sent[0]?.answer('old');
  sent[1]?.answer('new');
  expect([await before, await after]).toEqual(['old', 'new']);
});

test('whoever goes away leaves the fetch to the others, and the last one ends it', async () => {
  const { sent, get } = createFetches();
  const [first, second] = [new AbortController(), new AbortController()];
  const answers = [get(VIEWER, first.signal), get(VIEWER, second.signal)];
  first.abort(new DOMException('too slow', 'TimeoutError'));
  await expect(answers[0]).rejects.toMatchObject({ code: 'TIMEOUT' });
  expect(sent[0]?.context.signal.aborted).toBe(false);
  second.abort();
  expect(sent[0]?.context.signal.aborted).toBe(true);
  sent[0]?.fail(new AppError('UNAVAILABLE', 'Aborted.'));
  await expect(answers[1]).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  void get();
  expect(sent).toHaveLength(2);
});
