import { newId } from '@kindred/domain/ids';
import { seedCheckerboard } from '@kindred/testing/checkerboard';
import { createTwoTenants, type TwoTenants } from '@kindred/testing/two-tenants';
import { describe, expect, test } from 'vitest';
import { countCatalog } from './catalog-counts.ts';
import {
  importInteractions,
  type InteractionRow,
  interactionPosition,
  listInteractionsOfUsers,
  listItemsOfUsers,
  listUserItems,
  type NewInteraction,
  recordInteractions,
  type UserItem,
} from './interactions.ts';
import { findItemsByExternalIds, upsertItems } from './items.ts';
import { type TenantTx, withTenant } from './tenants.ts';
import { findUserByExternalId } from './users.ts';

const AT = new Date('2026-05-01T12:00:00.000Z');

function view(changes: Partial<NewInteraction> = {}): NewInteraction {
  return { userExternalId: 'ada', itemExternalId: 'lamp', type: 'VIEW', occurredAt: AT, ...changes };
}

async function createWorld(): Promise<TwoTenants> {
  const world = await createTwoTenants();
  for (const { tenantId } of [world.ours, world.theirs]) {
    await withTenant(world.db, tenantId, (tx) =>
      upsertItems(
        tx,
        ['lamp', 'chair'].map((externalId) => ({ externalId, title: externalId, categories: [], properties: {} })),
      ),
    );
  }
  return world;
}

describe('recordInteractions', () => {
  test('creates unknown users once and names the rows of unknown items', async () => {
    await using world = await createWorld();
    const { db, ours, theirs } = world;
    const rows = [
      view(),
      view({ itemExternalId: 'ghost', userExternalId: 'bob' }),
      view({ type: 'RATING', value: 4.5 }),
    ];
    expect(await withTenant(db, ours.tenantId, (tx) => recordInteractions(tx, rows))).toMatchObject({
      recordedCount: 2,
      recorded: [
        { userExternalId: view().userExternalId, occurredAt: view().occurredAt, recordedAt: expect.any(Date) },
        { occurredAt: view().occurredAt },
      ],
      duplicateCount: 0,
      unknownItemPositions: [1],
    });
    expect(await withTenant(db, ours.tenantId, countCatalog)).toEqual({
      itemCount: 2,
      userCount: 1,
      interactionCount: 2,
    });
    expect(await withTenant(db, theirs.tenantId, countCatalog)).toEqual({
      itemCount: 2,
      userCount: 0,
      interactionCount: 0,
    });
  });

  test('counts an eventId once within a batch and over batches, and rows without one each time', async () => {
    await using world = await createWorld();
    const rows = [view({ eventId: 'e1' }), view({ eventId: 'e1' }), view({ eventId: 'e2' }), view(), view()];
    const record = () => withTenant(world.db, world.ours.tenantId, (tx) => recordInteractions(tx, rows));
    expect(await record()).toMatchObject({ recordedCount: 4, duplicateCount: 1, unknownItemPositions: [] });
    expect(await record()).toMatchObject({ recordedCount: 2, duplicateCount: 3, unknownItemPositions: [] });
  });

  test('of an import counts the same, and names the users of the rows whose item is known, those of its tenant alone', async () => {
    await using world = await createWorld();
    const { db, ours, theirs } = world;
    const rows = [
      view({ eventId: 'e1' }),
      view({ eventId: 'e1', userExternalId: 'bob' }),
      view({ itemExternalId: 'ghost', userExternalId: 'eve' }),
      view(),
    ];
    const write = () => withTenant(db, ours.tenantId, (tx) => importInteractions(tx, rows));
    const userExternalIds = new Set(['ada', 'bob']);
    const unknownItemPositions = [2];
    expect(await write()).toEqual({ recordedCount: 2, duplicateCount: 1, unknownItemPositions, userExternalIds });
    expect(await write()).toEqual({ recordedCount: 1, duplicateCount: 2, unknownItemPositions, userExternalIds });
    expect(await withTenant(db, ours.tenantId, countCatalog)).toMatchObject({ userCount: 2, interactionCount: 3 });
    expect(await withTenant(db, theirs.tenantId, countCatalog)).toMatchObject({ userCount: 0, interactionCount: 0 });
  });

  test.each([
    ['events of a known user', () => 'ada'],
    ['events of new users', (n: number) => `user-${n}`],
  ])('survives concurrent batches of the same %s in opposite orders', async (_, userOf) => {
    await using world = await createWorld();
    const rows = Array.from({ length: 1_000 }, (_row, n) => view({ userExternalId: userOf(n), eventId: `event-${n}` }));
    const record = (batch: NewInteraction[]) =>
      withTenant(world.db, world.ours.tenantId, (tx) => recordInteractions(tx, batch));
    await record([view()]);
    const results = await Promise.all([rows, rows.toReversed(), rows, rows.toReversed(), rows].map(record));
    expect(results.reduce((sum, result) => sum + result.recordedCount, 0)).toBe(1_000);
    expect(results.reduce((sum, result) => sum + result.duplicateCount, 0)).toBe(4_000);
  });

  test('lets two tenants use the same eventId', async () => {
    await using world = await createWorld();
    for (const { tenantId } of [world.ours, world.theirs]) {
      const result = await withTenant(world.db, tenantId, (tx) => recordInteractions(tx, [view({ eventId: 'e1' })]));
      expect(result.recordedCount).toBe(1);
    }
  });

  test('records nothing for no rows', async () => {
    await using world = await createWorld();
    expect(await withTenant(world.db, world.ours.tenantId, (tx) => recordInteractions(tx, []))).toEqual({
      recordedCount: 0,
      recorded: [],
      duplicateCount: 0,
      unknownItemPositions: [],
    });
  });

  test('records 5,000 interactions of 1,000 new users in under two seconds', async () => {
    await using world = await createWorld();
    const rows = Array.from({ length: 5_000 }, (_, n) =>
      view({ eventId: `e${n}`, userExternalId: `user-${n % 1_000}` }),
    );
    const start = performance.now();
    const result = await withTenant(world.db, world.ours.tenantId, (tx) => recordInteractions(tx, rows));
    expect(performance.now() - start).toBeLessThan(2_000);
    expect(result.recordedCount).toBe(5_000);
  });

  test("refuses an interaction with another tenant's item, whatever the policies say", async () => {
    await using world = await createWorld();
    const { db, ours, theirs } = world;
    await withTenant(db, ours.tenantId, (tx) => recordInteractions(tx, [view()]));
    const user = await withTenant(db, ours.tenantId, (tx) => findUserByExternalId(tx, 'ada'));
    const [item] = await withTenant(db, theirs.tenantId, (tx) => findItemsByExternalIds(tx, ['lamp']));
    const data = { id: crypto.randomUUID(), userId: user?.id ?? '', itemId: item?.id ?? '', type: 'VIEW' as const };
    const written = withTenant(db, ours.tenantId, (tx) =>
      tx.client.interaction.create({ data: { ...data, tenantId: ours.tenantId, occurredAt: AT } }),
    );
    await expect(written).rejects.toThrow(/foreign key constraint/i);
  });
});

describe('listInteractionsOfUsers', () => {
  test('pages newest first without gap or repeat, equal times included', async () => {
    await using world = await createWorld();
    const { db, ours } = world;
    const rows = Array.from({ length: 12 }, (_, n) =>
      view({ value: n, occurredAt: new Date(AT.getTime() + Math.floor(n / 4)) }),
    );
    await withTenant(db, ours.tenantId, (tx) => recordInteractions(tx, rows));
    const pages: InteractionRow[] = [];
    await withTenant(db, ours.tenantId, async (tx) => {
      const user = await findUserByExternalId(tx, 'ada');
      if (user === null) throw new Error('The user "ada" was not created.');
      for (let page = 0; page < 3; page += 1) {
        const last = pages.at(-1);
        const afterCursorPosition = last && interactionPosition(last);
        const [next = []] = await listInteractionsOfUsers(tx, [{ userId: user.id, first: 5, afterCursorPosition }]);
        pages.push(...next);
      }
    });
    expect(pages.map((row) => row.value)).toEqual([11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
    expect(pages[0]?.occurredAt).toEqual(new Date(AT.getTime() + 2));
  });

  test('shows nothing of a user of another tenant', async () => {
    await using world = await createWorld();
    const { db, ours, theirs } = world;
    await withTenant(db, ours.tenantId, (tx) => recordInteractions(tx, [view()]));
    const user = await withTenant(db, ours.tenantId, (tx) => findUserByExternalId(tx, 'ada'));
    if (user === null) throw new Error('The user "ada" was not created.');
    await withTenant(db, theirs.tenantId, async (tx) => {
      expect(await listInteractionsOfUsers(tx, [{ userId: user.id, first: 5 }])).toEqual([[]]);
      expect(await listUserItems(tx, user.id, { limit: 5 })).toEqual([]);
    });
  });

  test('answers many users in the order of the pages, each from its own position, in one statement', async () => {
    await using world = await createWorld();
    const { db, ours } = world;
    await seedCheckerboard(db, ours.tenantId, { userCount: 4, itemCount: 20 });
    await withTenant(db, ours.tenantId, async (tx) => {
      const users = await Promise.all(['user-3', 'user-0'].map((externalId) => findUserByExternalId(tx, externalId)));
      const [last, first] = users.map((user) => user?.id);
      if (last === undefined || first === undefined) throw new Error('The checkerboard has no such users.');
      const [[newest, ...older] = [], nobody, two] = await listInteractionsOfUsers(tx, [
        { userId: last, first: 4 },
        { userId: newId('User'), first: 4 },
        { userId: first, first: 2 },
      ]);
      expect(nobody).toEqual([]);
      expect(two?.map((row) => row.userId)).toEqual([first, first]);
      expect(older.map((row) => row.userId)).toEqual([last, last, last]);
      const afterCursorPosition = newest && interactionPosition(newest);
      const pages = await listInteractionsOfUsers(tx, [
        { userId: last, first: 1 },
        { userId: last, first: 3, afterCursorPosition },
      ]);
      expect(pages).toEqual([[newest], older]);
    });
  });

  test('reads whole rows, as they were recorded', async () => {
    await using world = await createWorld();
    const { db, ours } = world;
    await withTenant(db, ours.tenantId, async (tx) => {
      await recordInteractions(tx, [view({ eventId: 'e1', type: 'RATING', value: 4.5 })]);
      const user = await findUserByExternalId(tx, 'ada');
      const [[row] = []] = user ? await listInteractionsOfUsers(tx, [{ userId: user.id, first: 1 }]) : [];
      expect(row).toEqual(await tx.client.interaction.findFirst({ where: { tenantId: ours.tenantId } }));
    });
  });

  test('refuses a position that is none', async () => {
    await using world = await createWorld();
    const { db, ours } = world;
    await seedCheckerboard(db, ours.tenantId, { userCount: 1, itemCount: 4 });
    const page = withTenant(db, ours.tenantId, async (tx) => {
      const user = await findUserByExternalId(tx, 'user-0');
      return user && listInteractionsOfUsers(tx, [{ userId: user.id, first: 5, afterCursorPosition: 'x' }]);
    });
    await expect(page).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
  });
});

describe('listUserItems', () => {
  test('tells what was known at a moment, whatever was recorded since', async () => {
    await using world = await createWorld();
    const { db, ours } = world;
    const inOurs = <T>(work: (tx: TenantTx) => Promise<T>): Promise<T> => withTenant(db, ours.tenantId, work);
    await inOurs((tx) => recordInteractions(tx, [view()]));
    const before = await inOurs(async (tx) => {
      const user = await findUserByExternalId(tx, 'ada');
      return { userId: user?.id, items: user ? await listUserItems(tx, user.id, { limit: 9 }) : [] };
    });
    const [{ recordedAt }] = before.items as [UserItem];
    const later = view({ itemExternalId: 'chair', occurredAt: new Date(0) });
    // The database tells milliseconds apart.
    await expect.poll(() => Date.now()).toBeGreaterThan(recordedAt.getTime() + 1);
    await inOurs((tx) => recordInteractions(tx, [view({ type: 'CLICK' }), later]));
    await inOurs(async (tx) => {
      if (before.userId === undefined) throw new Error('The user "ada" was not created.');
      expect(await listUserItems(tx, before.userId, { limit: 9, recordedUntil: recordedAt })).toEqual(before.items);
      expect(await listUserItems(tx, before.userId, { limit: 9 })).toHaveLength(2);
    });
  });

  test('gives each item once with the last interaction, newest first', async () => {
    await using world = await createWorld();
    const at = (minute: number): Date => new Date(AT.getTime() + minute * 60_000);
    await withTenant(world.db, world.ours.tenantId, async (tx) => {
      await recordInteractions(tx, [
        view({ occurredAt: at(1), type: 'PURCHASE' }),
        view({ occurredAt: at(2), itemExternalId: 'chair' }),
        view({ occurredAt: at(3), type: 'CLICK' }),
      ]);
      const items = await findItemsByExternalIds(tx, ['lamp', 'chair']);
      const idOf = new Map(items.map((item) => [item.externalId, item.id]));
      const user = await findUserByExternalId(tx, 'ada');
      const all = user && (await listUserItems(tx, user.id, { limit: 10 }));
      expect(all).toMatchObject([
        { itemId: idOf.get('lamp'), type: 'CLICK', occurredAt: at(3) },
        { itemId: idOf.get('chair'), type: 'VIEW', occurredAt: at(2) },
      ]);
      expect(user && (await listUserItems(tx, user.id, { limit: 1 }))).toEqual(all?.slice(0, 1));
    });
  });
});

describe('listItemsOfUsers', () => {
  test('gives the items of many users at once, as listUserItems gives them one by one', async () => {
    await using world = await createWorld();
    const { db, ours, theirs } = world;
    const later = new Date(AT.getTime() + 1_500);
    const rows = [view(), view({ itemExternalId: 'chair', occurredAt: later }), view({ userExternalId: 'bob' })];
    await withTenant(db, ours.tenantId, (tx) => recordInteractions(tx, rows));
    await withTenant(db, theirs.tenantId, (tx) => recordInteractions(tx, [view({ userExternalId: 'eve' }), view()]));
    await withTenant(db, ours.tenantId, async (tx) => {
      const users = await listItemsOfUsers(tx, ['ada', 'bob', 'eve'], { limit: 10 });
      expect(users.map(({ externalId }) => externalId).toSorted()).toEqual(['ada', 'bob']);
      for (const { userId, items } of users) {
        const wanted = await listUserItems(tx, userId, { limit: 10 });
        expect(items).toEqual(
          wanted.map(({ itemId, occurredAt, recordedAt }) => {
            return { itemId, occurredAt: occurredAt.getTime(), recordedAt: recordedAt.getTime() };
          }),
        );
      }
      const [ada] = await listItemsOfUsers(tx, ['ada'], { limit: 1 });
      expect(ada?.items.map(({ occurredAt }) => occurredAt)).toEqual([later.getTime()]);
    });
  });

  test('gives a user without interactions no items', async () => {
    await using world = await createWorld();
    await withTenant(world.db, world.ours.tenantId, async (tx) => {
      await recordInteractions(tx, [view()]);
      await tx.client.$executeRaw`DELETE FROM interactions WHERE tenant_id = ${tx.tenantId}::uuid`;
      expect(await listItemsOfUsers(tx, ['ada'], { limit: 10 })).toMatchObject([{ externalId: 'ada', items: [] }]);
    });
  });
});
