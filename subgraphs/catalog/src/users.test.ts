import type { Viewer } from '@kindred/domain/viewer';
import { seedCheckerboard } from '@kindred/testing/checkerboard';
import { createTestTenant } from '@kindred/testing/test-tenant';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createTestCatalog, type TestCatalog } from './test-catalog.ts';

interface PageInfo {
  hasNextPage: boolean;
  endCursor: string | null;
}
interface Users {
  users: { edges: { node: { id: string; externalId: string } }[]; pageInfo: PageInfo };
}
interface History {
  user: {
    interactions: { edges: { node: { occurredAt: string; item: { externalId: string } } }[]; pageInfo: PageInfo };
  } | null;
}

const USERS = `query ($first: Int!, $after: String) {
  users(first: $first, after: $after) { edges { node { id externalId } } pageInfo { hasNextPage endCursor } }
}`;
const HISTORY = `query ($user: String!, $first: Int!, $after: String) {
  user(externalId: $user) {
    interactions(first: $first, after: $after) {
      edges { node { occurredAt item { externalId title categories } } }
      pageInfo { hasNextPage endCursor }
    }
  }
}`;

let catalog: TestCatalog;
beforeAll(async () => {
  catalog = await createTestCatalog();
});
afterAll(() => catalog[Symbol.asyncDispose]());

async function createPeopled(): Promise<Viewer> {
  const { viewer, tenantId } = await createTestTenant(catalog.db);
  await seedCheckerboard(catalog.db, tenantId, { userCount: 12, itemCount: 24 });
  return viewer;
}

/** The SQL statements that `work` sends, transaction control included. */
async function countStatements(work: () => Promise<unknown>): Promise<number> {
  const client = await catalog.db.pool.connect();
  const query = vi.spyOn(Object.getPrototypeOf(client) as typeof client, 'query');
  client.release();
  try {
    await work();
    return query.mock.calls.length;
  } finally {
    query.mockRestore();
  }
}

test('users page by their ids, each once', async () => {
  const viewer = await createPeopled();
  const seen: string[] = [];
  for (let after: string | null = null, more = true; more; ) {
    const { users }: Users = await catalog.read<Users>(viewer, USERS, { first: 5, after });
    seen.push(...users.edges.map(({ node }) => node.externalId));
    after = users.pageInfo.endCursor;
    more = users.pageInfo.hasNextPage;
  }
  expect(seen).toHaveLength(12);
  expect(new Set(seen)).toEqual(new Set(Array.from({ length: 12 }, (_, user) => `user-${user}`)));
});

test('a history pages newest first without gaps and repeats', async () => {
  const viewer = await createPeopled();
  const times: number[] = [];
  for (let after: string | null = null, more = true; more; ) {
    const { user }: History = await catalog.read<History>(viewer, HISTORY, { user: 'user-3', first: 4, after });
    times.push(...(user?.interactions.edges ?? []).map(({ node }) => Date.parse(node.occurredAt)));
    after = user?.interactions.pageInfo.endCursor ?? null;
    more = user?.interactions.pageInfo.hasNextPage ?? false;
  }
  expect(times).toHaveLength(11);
  expect(new Set(times).size).toBe(11);
  expect(times).toEqual(times.toSorted((left, right) => right - left));
});

test.each([
  [{ first: 0 }, 'first must be 1-100, got 0.'],
  [{ first: 1, after: Buffer.from('x').toString('base64url') }, '"x" is not the position of an interaction.'],
])('a history page of %j is refused with what was wanted and got', async (variables, message) => {
  const viewer = await createPeopled();
  const { errors } = await catalog.ask(viewer, HISTORY, { user: 'user-3', ...variables });
  expect(errors).toMatchObject([{ message, extensions: { code: 'BAD_USER_INPUT' } }]);
});

test('a page of ten interactions with their items takes as many statements as a page of one', async () => {
  const viewer = await createPeopled();
  const one = await countStatements(() => catalog.read(viewer, HISTORY, { user: 'user-3', first: 1 }));
  const ten = await countStatements(() => catalog.read(viewer, HISTORY, { user: 'user-3', first: 10 }));
  expect(ten).toBe(one);
  // User, page and items: three transactions of BEGIN, settings, query, COMMIT.
  expect(ten).toBe(12);
});

test('a page of ten users with their interactions takes as many statements as a page of one', async () => {
  const viewer = await createPeopled();
  const query = `query ($first: Int!) {
    users(first: $first) { edges { node { interactions(first: 5) { edges { node { occurredAt } } } } } }
  }`;
  const one = await countStatements(() => catalog.read(viewer, query, { first: 1 }));
  const ten = await countStatements(() => catalog.read(viewer, query, { first: 10 }));
  expect(ten).toBe(one);
  // Users and pages: two transactions of BEGIN, settings, query, COMMIT.
  expect(ten).toBe(8);
});

test("a tenant neither reads nor lists another's users, nor pages through their histories", async () => {
  const viewer = await createPeopled();
  const { viewer: foreign } = await createTestTenant(catalog.db);
  expect(await catalog.read(foreign, HISTORY, { user: 'user-3', first: 10 })).toEqual({ user: null });
  const { users } = await catalog.read<Users>(viewer, USERS, { first: 1 });
  const listed = await catalog.read<Users>(foreign, USERS, { first: 10, after: users.pageInfo.endCursor });
  expect(listed.users.edges).toEqual([]);
});
