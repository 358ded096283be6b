import { setImmediate as nextTick, setTimeout as wait } from 'node:timers/promises';
import { AppError } from '@kindred/domain/app-error';
import { newId } from '@kindred/domain/ids';
import type { Viewer } from '@kindred/domain/viewer';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { OperationContext } from '../context.ts';
import type { GraphQLAnswer } from '../subgraph-client.ts';
import { EntityBatches } from './entity-batches.ts';
import type { Representation } from './representations.ts';

const VIEWER: Viewer = { kind: 'apiKey', apiKeyId: newId('ApiKey'), tenantId: newId('Tenant'), scopes: [] };

const BY_ID: Representation = { keyOf: ({ id }) => String(id), write: (id) => JSON.stringify({ id }) };

interface Sent {
  ids: string[];
  context: OperationContext;
  answer(answer?: GraphQLAnswer): void;
  fail(error: Error): void;
}

function createBatches() {
  const sent: Sent[] = [];
  const batches = new EntityBatches(({ body }, context) => {
    const { variables } = JSON.parse(body) as { variables: { representations: { id: string }[] } };
    const ids = variables.representations.map(({ id }) => id);
    return new Promise((resolve, reject) => {
      const entities = ids.map((id) => ({ id, tags: [id] }));
      sent.push({
        ids,
        context,
        answer: (answer = { data: { _entities: entities } }) => resolve(answer),
        fail: reject,
      });
    });
  });
  const get = (
    ids: readonly string[],
    {
      viewer = VIEWER,
      body = '{"variables":{',
      signal = new AbortController().signal,
      deadlineAt = 1_000,
      representation = BY_ID,
    } = {},
  ) =>
    batches.get(
      {
        name: 'catalog',
        body,
        shareable: true,
        repeatable: true,
        representation,
        keys: ids,
      },
      { viewer, traceId: '0', signal, deadlineAt },
    );
  return { batches, sent, get };
}

const entitiesOf = ({ data }: GraphQLAnswer) => Object.values(data ?? {})[0] as { id: string; tags: string[] }[];
const idsOf = (answer: GraphQLAnswer) => entitiesOf(answer).map(({ id }) => id);

test('what executions ask for in one tick goes in one request, and each gets its own part in its own order', async () => {
  const { batches, sent, get } = createBatches();
  const answers = [get(['1', '2']), get(['2', '3']), get(['3', '1'])];
  await nextTick();
  expect(sent.map(({ ids }) => ids)).toEqual([['1', '2', '3']]);
  sent[0]?.answer();
  expect((await Promise.all(answers)).map(idsOf)).toEqual([
    ['1', '2'],
    ['2', '3'],
    ['3', '1'],
  ]);
  expect(batches.savedCount).toBe(2);
});

test('no execution sees what another does to its entities', async () => {
  const { sent, get } = createBatches();
  const answers = [get(['1']), get(['1'])];
  await nextTick();
  sent[0]?.answer();
  const [first, second] = await Promise.all(answers);
  if (first !== undefined) entitiesOf(first)[0]?.tags.push('mine');
  expect(second?.data).toEqual({ _entities: [{ id: '1', tags: ['1'] }] });
});

test.for<[string, Parameters<ReturnType<typeof createBatches>['get']>[1]]>([
  ['another tenant', { viewer: { ...VIEWER, tenantId: newId('Tenant') } as Viewer }],
  ['another API key', { viewer: { ...VIEWER, apiKeyId: newId('ApiKey') } as Viewer }],
  ['other scopes', { viewer: { ...VIEWER, scopes: ['catalog:read'] } as Viewer }],
  ['another operation', { body: '{"query":"","variables":{' }],
  ['entities that are told apart by something else', { representation: { ...BY_ID } }],
])('nothing goes in one request with %s', async ([, options]) => {
  const { sent, get } = createBatches();
  void get(['1']);
  void get(['2'], options).catch(() => undefined);
  await nextTick();
  expect(sent.length).toBeLessThanOrEqual(2);
  for (const { ids } of sent) expect(ids).toHaveLength(1);
});

const FIRST = ['f1', 'f2', 'f3', 'f4', 'f5', 'f6', 'f7', 'f8'];

/** Eight that are under way, behind which others wait. */
async function createBusyBatches() {
  const world = createBatches();
  const first: ReturnType<typeof world.get>[] = [];
  for (const id of FIRST) {
    first.push(world.get([id]));
    await nextTick();
  }
  return { ...world, first };
}

test('while eight batches are under way the next gathers until one is answered', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const { sent, get, first } = await createBusyBatches();
  const others = [get(['3'])];
  await nextTick();
  others.push(get(['4']));
  await nextTick();
  expect(sent.map(({ ids }) => ids)).toEqual(FIRST.map((id) => [id]));
  sent[1]?.answer();
  await first[1];
  await nextTick();
  expect(sent.slice(FIRST.length).map(({ ids }) => ids)).toEqual([['3', '4']]);
  sent.at(-1)?.answer();
  await Promise.all(others);
});

test('a slow subgraph does not hold back the next batch', async () => {
  const { sent, get } = await createBusyBatches();
  void get(['3']);
  await nextTick();
  expect(sent).toHaveLength(FIRST.length);
  await wait(20);
  expect(sent.slice(FIRST.length).map(({ ids }) => ids)).toEqual([['3']]);
});

test('an error of an entity reaches those who asked for it, at its place in what they asked for', async () => {
  const { sent, get } = createBatches();
  const answers = [get(['1', '2']), get(['3', '2']), get(['3'])];
  await nextTick();
  const errors = [{ message: 'gone', path: ['_entities', 1, 'title'] }, { message: 'everywhere' }];
  sent[0]?.answer({ data: { _entities: [{}, null, {}] }, errors });
  const got = (await Promise.all(answers)).map((answer) => answer.errors?.map(({ path }) => path));
  expect(got).toEqual([[['_entities', 1, 'title'], undefined], [['_entities', 1, 'title'], undefined], [undefined]]);
});

test('an answer without data is asked for again by each alone, so that one bad representation spoils no other', async () => {
  const { sent, get } = createBatches();
  const answers = [get(['good']), get(['bad'])];
  await nextTick();
  sent[0]?.answer({ data: null, errors: [{ message: 'bad' }] });
  await nextTick();
  expect(sent.map(({ ids }) => ids)).toEqual([['good', 'bad'], ['good'], ['bad']]);
  sent[1]?.answer();
  sent[2]?.answer({ data: null, errors: [{ message: 'bad' }] });
  const [good, bad] = await Promise.all(answers);
  expect(good && idsOf(good)).toEqual(['good']);
  expect(bad?.errors).toHaveLength(1);
});

test('a subgraph that does not answer fails everybody once, and is not asked again', async () => {
  const { sent, get } = createBatches();
  const answers = [get(['1']), get(['2'])];
  await nextTick();
  sent[0]?.fail(new AppError('UNAVAILABLE', 'gone'));
  for (const answer of answers) await expect(answer).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  expect(sent).toHaveLength(1);
});

test('whoever goes away leaves the batch to the others, and the last one ends it', async () => {
  const { sent, get } = createBatches();
  const [first, second] = [new AbortController(), new AbortController()];
  const answers = [get(['1'], { signal: first.signal }), get(['2'], { signal: second.signal, deadlineAt: 2_000 })];
  await nextTick();
  first.abort();
  await expect(answers[0]).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  expect(sent[0]?.context).toMatchObject({ deadlineAt: 2_000, signal: { aborted: false } });
  second.abort();
  await expect(answers[1]).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  expect(sent[0]?.context.signal.aborted).toBe(true);
});

test('who is gone before the batch is sent asks for nothing', async () => {
  const { sent, get } = createBatches();
  const client = new AbortController();
  const answer = get(['1'], { signal: client.signal });
  client.abort();
  await expect(answer).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await nextTick();
  expect(sent).toEqual([]);
});
