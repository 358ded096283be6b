import { upsertItems } from '@kindred/db/items';
import { withTenant } from '@kindred/db/tenants';
import { ITEMS_CHANGED_TOPIC, writeItemsChanged } from '@kindred/domain/catalog-events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  createTestRecommendation,
  createTrainedWorld,
  createWorld,
  namesOf,
  recommend,
  refused,
  type TestRecommendation,
  type TrainedWorld,
  type World,
} from './test-recommendation.ts';
import { promote, trainTestVersion } from './test-version.ts';

let subgraph: TestRecommendation;
let world: TrainedWorld;
beforeAll(async () => {
  subgraph = await createTestRecommendation();
  world = await createTrainedWorld(subgraph);
  const foreign = await createTrainedWorld(subgraph);
  for (const tenant of [world, foreign]) await describe(tenant);
  await write(foreign, 0, { secret: 'theirs' });
});
afterAll(() => subgraph[Symbol.asyncDispose]());

async function write({ tenantId }: World, item: number, properties: Record<string, unknown>): Promise<void> {
  const row = { externalId: `item-${item}`, title: 'Item', categories: [item % 2 === 0 ? 'even' : 'odd'], properties };
  await withTenant(subgraph.db, tenantId, (tx) => upsertItems(tx, [row]));
}

/** Gives the 20 items of a checkerboard properties of every kind. */
async function describe(tenant: World): Promise<void> {
  for (let item = 0; item < 20; item++) {
    const tags = [`mod3-${item % 3}`, ...(item > 15 ? ['new'] : [])];
    await write(tenant, item, {
      number: item,
      color: item % 4 < 2 ? 'Dark red' : 'green',
      isFree: item < 5,
      tags,
      ...(item === 7 && { rare: 1 }),
    });
  }
}

async function found(where: object, tenant: World = world): Promise<number[]> {
  const answer = await recommend(subgraph, tenant, { where, first: 100 });
  return namesOf(tenant, answer)
    .map((name) => Number(name.replace('item-', '')))
    .toSorted((left, right) => left - right);
}

const ALL = Array.from({ length: 20 }, (_, item) => item);
const property = (name: string, condition: object) => ({ property: { name, ...condition } });

const CONDITIONS: [string, object, (item: number) => boolean][] = [
  ['eq a text', property('color', { eq: 'green' }), (item) => item % 4 >= 2],
  ['eq a number', property('number', { eq: 4 }), (item) => item === 4],
  ['eq a boolean', property('isFree', { eq: true }), (item) => item < 5],
  ['ne', property('color', { ne: 'green' }), (item) => item % 4 < 2],
  ['ne where there is no value', property('rare', { ne: 1 }), (item) => item !== 7],
  ['in', property('number', { in: [1, 3, 99] }), (item) => item === 1 || item === 3],
  ['lt', property('number', { lt: 3 }), (item) => item < 3],
  ['lte', property('number', { lte: 3 }), (item) => item <= 3],
  ['gt', property('number', { gt: 16.5 }), (item) => item > 16.5],
  ['gte', property('number', { gte: 17 }), (item) => item >= 17],
  ['contains an element', property('tags', { contains: 'new' }), (item) => item > 15],
  ['contains a part in any case', property('color', { contains: 'RED' }), (item) => item % 4 < 2],
  ['exists', property('rare', { exists: true }), (item) => item === 7],
  ['exists not', property('rare', { exists: false }), (item) => item !== 7],
  ['a category', { category: { eq: 'even' } }, (item) => item % 2 === 0],
  ['one of categories', { category: { in: ['odd', 'none'] } }, (item) => item % 2 === 1],
  ['not', { not: { category: { eq: 'even' } } }, (item) => item % 2 === 1],
  [
    'and, or',
    {
      and: [
        { category: { eq: 'even' } },
        { or: [property('number', { lt: 3 }), property('tags', { contains: 'new' })] },
      ],
    },
    (item) => item % 2 === 0 && (item < 3 || item > 15),
  ],
];

test.each(CONDITIONS)('%s lets exactly those items through', async (_, where, passes) => {
  expect(await found(where)).toEqual(ALL.filter(passes));
});

test.each(['FAISS', 'EXACT'] as const)(
  'over a %s index a filtered ranking is the ranking without the others',
  async (kind) => {
    const own = await createWorld(subgraph);
    await describe(own);
    const { id } = await trainTestVersion(subgraph, own.tenantId, { kind });
    await promote(subgraph.db, own.tenantId, id);
    const input = { user: { externalId: 'user-1' }, first: 100 };
    const all = namesOf(own, await recommend(subgraph, own, input));
    expect(all.length).toBeGreaterThan(10);
    for (const [, where, passes] of CONDITIONS) {
      const filtered = namesOf(own, await recommend(subgraph, own, { ...input, where }));
      expect(filtered).toEqual(all.filter((name) => passes(Number(name.replace('item-', '')))));
    }
  },
);

test('pages of a filtered answer are one list, and their cursors are of this filter alone', async () => {
  const where = property('number', { gte: 4 });
  const user = { externalId: 'user-1' };
  const whole = await recommend(subgraph, world, { user, where, first: 100 });
  const first = await recommend(subgraph, world, { user, where, first: 2 });
  const after = first.pageInfo.endCursor;
  const second = await recommend(subgraph, world, { user, where, first: 100, after });
  expect([...namesOf(world, first), ...namesOf(world, second)]).toEqual(namesOf(world, whole));
  expect(await refused(subgraph, world, { user, where: property('number', { gte: 5 }), after })).toHaveLength(1);
});

test('without a version the most popular items are filtered', async () => {
  const untrained = await createWorld(subgraph);
  const answer = await recommend(subgraph, untrained, { where: property('number', { lt: 3 }), first: 100 });
  expect(answer.status).toBe('FALLBACK');
  expect(namesOf(untrained, answer).toSorted()).toEqual(['item-0', 'item-1', 'item-2']);
});

test('a change of an item counts when it was told, and after five seconds when it was not', async () => {
  const own = await createTrainedWorld(subgraph);
  const where = property('number', { eq: 3 });
  expect(await found(where, own)).toEqual([3]);
  await write(own, 5, { number: 3 });
  const id = own.board.itemIds.get('item-5');
  await subgraph.events.publish(ITEMS_CHANGED_TOPIC, writeItemsChanged(own.tenantId, id ? [id] : []));
  await expect.poll(() => found(where, own)).toEqual([3, 5]);
  await write(own, 3, { number: 4 });
  expect(await found(where, own)).toEqual([3, 5]);
  subgraph.passTime(5_000);
  await expect.poll(() => found(where, own)).toEqual([5]);
});

test('an item that the version does not know is found by a filter', async () => {
  const own = await createTrainedWorld(subgraph);
  const row = { externalId: 'brand-new', title: 'New', categories: ['fresh'], properties: {} };
  await withTenant(subgraph.db, own.tenantId, (tx) => upsertItems(tx, [row]));
  const where = { category: { eq: 'fresh' } };
  expect((await recommend(subgraph, own, { user: { externalId: 'user-1' }, where })).edges).toHaveLength(1);
});

test('no filter waits for the catalogue to be read: it is read beside the version', async () => {
  const own = await createTrainedWorld(subgraph);
  await write(own, 3, { number: 3 });
  await recommend(subgraph, own, {});
  const isRead = ({ msg, tenantId }: (typeof subgraph.logged)[number]) =>
    msg === 'The items are known to filters' && tenantId === own.tenantId;
  await expect.poll(() => subgraph.logged.some(isRead), { timeout: 5_000 }).toBe(true);
  const busy = await subgraph.db.pool.connect();
  await busy.query('BEGIN');
  await busy.query('LOCK TABLE items IN ACCESS EXCLUSIVE MODE');
  try {
    const asked = recommend(subgraph, own, { where: property('number', { eq: 3 }) });
    const late = new Promise((resolve) => setTimeout(resolve, 3_000, null));
    expect(await Promise.race([asked, late])).toMatchObject({ edges: [{ rank: 1 }] });
  } finally {
    await busy.query('ROLLBACK');
    busy.release();
  }
});

test('what was written while nobody filtered is known to the next filter, told or not', async () => {
  const own = await createTrainedWorld(subgraph);
  const where = property('number', { eq: 3 });
  expect(await found(where, own)).toEqual([3]);
  subgraph.passTime(60_000);
  for (const item of [5, 7]) {
    await write(own, item, { number: 3 });
    const id = own.board.itemIds.get(`item-${item}`);
    await subgraph.events.publish(ITEMS_CHANGED_TOPIC, writeItemsChanged(own.tenantId, id ? [id] : []));
  }
  await write(own, 9, { number: 3 });
  subgraph.passTime(10_000);
  expect(await found(where, own)).toEqual([3, 5, 7, 9]);
});

test("another tenant's properties do not exist", async () => {
  const [error] = (await refused(subgraph, world, { where: property('secret', { eq: 'theirs' }) })) ?? [];
  expect(error?.message).toBe('input.where.property.name wants a property that at least one item has, got "secret".');
});

test.each([
  ['no field', {}, 'input.where wants exactly one field, got none.'],
  [
    'two fields',
    { category: { eq: 'a' }, not: { category: { eq: 'a' } } },
    'input.where wants exactly one field, got not and category.',
  ],
  ['no comparison', property('number', {}), 'input.where.property wants exactly one field, got none.'],
  ['an empty list', { and: [] }, 'input.where.and wants 1-20 values, got 0.'],
  [
    'a misspelt property',
    property('colour', { eq: 'green' }),
    'input.where.property.name wants a property that at least one item has, got "colour" (did you mean "color"?).',
  ],
  [
    'a text for a number',
    { not: property('number', { eq: '4' }) },
    'input.where.not.property.eq wants a number, which the property "number" has, got the text "4".',
  ],
  [
    'a range of texts',
    property('color', { lt: 4 }),
    'input.where.property.lt wants a text, which the property "color" has, got the number 4.',
  ],
])('%s is refused with what was wanted and got', async (_, where, message) => {
  expect(await refused(subgraph, world, { where })).toMatchObject([
    { message, extensions: { code: 'BAD_USER_INPUT' } },
  ]);
});

test('conditions too deep within each other are refused', async () => {
  let where: object = { category: { eq: 'even' } };
  for (let level = 0; level < 6; level++) where = { not: where };
  const [error] = (await refused(subgraph, world, { where })) ?? [];
  expect(error?.message).toMatch(/wants at most 6 conditions within each other, got more/);
});
