import { newId } from '@kindred/domain/ids';
import { seedCheckerboard } from '@kindred/testing/checkerboard';
import { createTwoTenants } from '@kindred/testing/two-tenants';
import { describe, expect, test } from 'vitest';
import {
  findItems,
  findItemsByExternalIds,
  listItems,
  listPopularItems,
  type NewItem,
  readItemFacts,
  readItemFactsOf,
  readItemStamps,
  upsertItems,
} from './items.ts';
import { withTenant } from './tenants.ts';

function newItem(externalId: string, title = `Title of ${externalId}`): NewItem {
  return {
    externalId,
    title,
    categories: ['a', 'with, "comma"'],
    properties: { year: 1999, tags: ['x'], nothing: null },
  };
}

describe('upsertItems', () => {
  test('creates items and replaces those whose external id is known, keeping their ids', async () => {
    await using world = await createTwoTenants();
    await withTenant(world.db, world.ours.tenantId, async (tx) => {
      expect(await upsertItems(tx, [newItem('lamp'), newItem('chair')])).toHaveLength(2);
      const [before] = await findItemsByExternalIds(tx, ['lamp']);
      expect(before).toMatchObject({ ...newItem('lamp'), tenantId: world.ours.tenantId });
      const changed = { externalId: 'lamp', title: 'Better lamp', categories: [], properties: {} };
      expect(await upsertItems(tx, [changed])).toHaveLength(1);
      const [after] = await findItemsByExternalIds(tx, ['lamp']);
      expect(after).toMatchObject({ ...changed, id: before?.id });
    });
  });

  test('writes the last of equal external ids in one batch', async () => {
    await using world = await createTwoTenants();
    await withTenant(world.db, world.ours.tenantId, async (tx) => {
      expect(await upsertItems(tx, [newItem('lamp', 'One'), newItem('chair'), newItem('lamp', 'Two')])).toHaveLength(2);
      expect(await findItemsByExternalIds(tx, ['lamp'])).toEqual([expect.objectContaining({ title: 'Two' })]);
    });
  });

  test('writes nothing for no rows', async () => {
    await using world = await createTwoTenants();
    expect(await withTenant(world.db, world.ours.tenantId, (tx) => upsertItems(tx, []))).toEqual([]);
  });

  test('lets two tenants have the same external id, each its own item', async () => {
    await using world = await createTwoTenants();
    const { db, ours, theirs } = world;
    await withTenant(db, ours.tenantId, (tx) => upsertItems(tx, [newItem('lamp', 'Ours')]));
    await withTenant(db, theirs.tenantId, (tx) => upsertItems(tx, [newItem('lamp', 'Theirs')]));
    const [own] = await withTenant(db, ours.tenantId, (tx) => findItemsByExternalIds(tx, ['lamp']));
    expect(own?.title).toBe('Ours');
  });

  test('survives concurrent batches over the same items in opposite orders', async () => {
    await using world = await createTwoTenants();
    const rows = Array.from({ length: 300 }, (_, n) => newItem(`item-${n}`));
    const written = await Promise.all(
      [rows, rows.toReversed(), rows, rows.toReversed()].map((batch) =>
        withTenant(world.db, world.ours.tenantId, (tx) => upsertItems(tx, batch)),
      ),
    );
    expect(written.map((ids) => ids.length)).toEqual([300, 300, 300, 300]);
  });

  test('writes 5,000 items in under two seconds', async () => {
    await using world = await createTwoTenants();
    const rows = Array.from({ length: 5_000 }, (_, n) => newItem(`item-${n}`));
    const start = performance.now();
    expect(await withTenant(world.db, world.ours.tenantId, (tx) => upsertItems(tx, rows))).toHaveLength(5_000);
    expect(performance.now() - start).toBeLessThan(2_000);
  });
});

describe('findItems', () => {
  test('finds no item of another tenant, by neither id', async () => {
    await using world = await createTwoTenants();
    const { db, ours, theirs } = world;
    const [item] = await withTenant(db, ours.tenantId, async (tx) => {
      await upsertItems(tx, [newItem('lamp')]);
      return findItemsByExternalIds(tx, ['lamp']);
    });
    const ids = item ? [item.id, newId('Item')] : [];
    expect(await withTenant(db, ours.tenantId, (tx) => findItems(tx, ids))).toEqual([item]);
    expect(await withTenant(db, theirs.tenantId, (tx) => findItems(tx, ids))).toEqual([]);
    expect(await withTenant(db, theirs.tenantId, (tx) => findItemsByExternalIds(tx, ['lamp']))).toEqual([]);
  });
});

describe('listItems', () => {
  test('pages through the items by id without gap or repeat', async () => {
    await using world = await createTwoTenants();
    await withTenant(world.db, world.ours.tenantId, async (tx) => {
      await upsertItems(
        tx,
        Array.from({ length: 25 }, (_, n) => newItem(`item-${n}`)),
      );
      const first = await listItems(tx, { first: 10 });
      const second = await listItems(tx, { first: 10, afterId: first.at(-1)?.id });
      const third = await listItems(tx, { first: 10, afterId: second.at(-1)?.id });
      const ids = [...first, ...second, ...third].map((item) => item.id);
      expect(ids).toEqual([...new Set(ids)].toSorted());
      expect(ids).toHaveLength(25);
    });
    expect(await withTenant(world.db, world.theirs.tenantId, (tx) => listItems(tx, { first: 10 }))).toEqual([]);
  });

  test('searches part of the title in any case, taking wildcards as letters', async () => {
    await using world = await createTwoTenants();
    await withTenant(world.db, world.ours.tenantId, async (tx) => {
      const titles = ['100% Wool', '1000 Wools', 'Snake_case', 'Snakescase', 'Back\\slash'];
      await upsertItems(
        tx,
        titles.map((title) => newItem(title, title)),
      );
      const search = async (text: string) =>
        (await listItems(tx, { first: 10, search: text })).map((item) => item.title).toSorted();
      expect(await search('wOOl')).toEqual(['100% Wool', '1000 Wools']);
      expect(await search('0% w')).toEqual(['100% Wool']);
      expect(await search('e_c')).toEqual(['Snake_case']);
      expect(await search('k\\s')).toEqual(['Back\\slash']);
    });
  });
});

describe('listPopularItems', () => {
  test('ranks by the number of interactions, without the excluded, page by page', async () => {
    await using world = await createTwoTenants();
    const { db, ours, theirs } = world;
    const board = await seedCheckerboard(db, ours.tenantId, { userCount: 9, itemCount: 6 });
    const all = await withTenant(db, ours.tenantId, (tx) =>
      listPopularItems(tx, { first: 100, offset: 0, excludeIds: [] }),
    );
    expect(all).toHaveLength(6);
    expect(all.reduce((sum, item) => sum + item.interactionCount, 0)).toBe(board.interactionCount);
    expect(all.map((item) => item.interactionCount)).toEqual(
      all.map((item) => item.interactionCount).toSorted((a, b) => b - a),
    );
    const [best, ...others] = all;
    const page = await withTenant(db, ours.tenantId, (tx) =>
      listPopularItems(tx, { first: 2, offset: 1, excludeIds: best ? [best.itemId] : [] }),
    );
    expect(page).toEqual(others.slice(1, 3));
    const foreign = await withTenant(db, theirs.tenantId, (tx) =>
      listPopularItems(tx, { first: 100, offset: 0, excludeIds: [] }),
    );
    expect(foreign).toEqual([]);
  });

  test('gives any items while there are no interactions', async () => {
    await using world = await createTwoTenants();
    const items = await withTenant(world.db, world.ours.tenantId, async (tx) => {
      await upsertItems(tx, [newItem('lamp'), newItem('chair')]);
      return listPopularItems(tx, { first: 10, offset: 0, excludeIds: [] });
    });
    expect(items.map((item) => item.interactionCount)).toEqual([0, 0]);
  });
});

describe('readItemFacts, readItemFactsOf and readItemStamps', () => {
  test("read the tenant's items page by page, and those that were written lately", async () => {
    await using world = await createTwoTenants();
    const { db, ours, theirs } = world;
    const { tenantId } = ours;
    const item = { ...newItem('lamp'), categories: ['light'], properties: { watts: 7 } };
    const theirIds = await withTenant(db, theirs.tenantId, (tx) => upsertItems(tx, [newItem('lamp')]));
    const ids = await withTenant(db, tenantId, (tx) => upsertItems(tx, [item, newItem('chair')]));
    const written = await withTenant(db, tenantId, (tx) => findItems(tx, ids));
    const facts = written.map(({ id, categories, properties, updatedAt }) => ({
      id,
      categories,
      properties,
      updatedAt,
    }));
    const first = await readItemFacts(db, tenantId, { first: 1, afterId: null });
    const rest = await readItemFacts(db, tenantId, { first: 5, afterId: first[0]?.id ?? null });
    expect([...first, ...rest].map(({ id }) => id)).toEqual(ids.toSorted());
    expect(new Set([...first, ...rest])).toEqual(new Set(facts));
    expect(new Set(await readItemFactsOf(db, tenantId, [...ids, ...theirIds]))).toEqual(new Set(facts));
    const stamps = await readItemStamps(db, tenantId, { withinMs: 60_000.5 });
    expect(new Set(stamps)).toEqual(new Set(written.map(({ id, updatedAt }) => ({ id, updatedAt }))));
    expect(await readItemStamps(db, tenantId, { withinMs: -60_000 })).toEqual([]);
  });
});
