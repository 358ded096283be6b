import { decodeCursor, encodeCursor } from '@kindred/domain/cursor';
import { expect, test } from 'vitest';
import { toConnection } from './connection.ts';

const positionOf = (row: string) => `position of ${row}`;

test('a row beyond the page tells of a next page and is not in it', () => {
  const { edges, pageInfo } = toConnection(['a', 'b', 'c'], { first: 2 }, positionOf);
  expect(edges.map(({ node }) => node)).toEqual(['a', 'b']);
  expect(edges.map(({ cursor }) => decodeCursor(cursor))).toEqual(['position of a', 'position of b']);
  expect(pageInfo).toMatchObject({ hasNextPage: true, startCursor: edges[0]?.cursor, endCursor: edges[1]?.cursor });
});

test('the last page has none after it, whether full or not', () => {
  expect(toConnection(['a', 'b'], { first: 2 }, positionOf).pageInfo.hasNextPage).toBe(false);
  expect(toConnection(['a'], { first: 2 }, positionOf).pageInfo.hasNextPage).toBe(false);
});

test.each([
  [undefined, false],
  [null, false],
  [encodeCursor('position of a'), true],
])('a page after %j has a page before it: %s', (after, hasPreviousPage) => {
  expect(toConnection(['b'], { first: 2, after }, positionOf).pageInfo.hasPreviousPage).toBe(hasPreviousPage);
});

test('an empty page has no cursors', () => {
  expect(toConnection<string>([], { first: 2 }, positionOf)).toEqual({
    edges: [],
    pageInfo: { hasNextPage: false, hasPreviousPage: false, startCursor: null, endCursor: null },
  });
});
