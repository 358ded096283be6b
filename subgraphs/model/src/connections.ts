import { encodeCursor } from '@kindred/domain/cursor';
import type { PageInfo } from './generated/resolvers.ts';

/** A page of a Relay connection. */
export interface Connection<Row> {
  edges: { cursor: string; node: Row }[];
  pageInfo: PageInfo;
}

/**
 * The page of at most `first` rows out of rows that were read one further, which tells whether there is a next page.
 * `positionOf` gives a row's keyset position.
 */
export function toConnection<Row>(
  rows: readonly Row[],
  { first, after }: { first: number; after?: string | null | undefined },
  positionOf: (row: Row) => string,
): Connection<Row> {
  const edges = rows.slice(0, first).map((node) => ({ cursor: encodeCursor(positionOf(node)), node }));
  const pageInfo = {
    hasNextPage: rows.length > first,
    hasPreviousPage: typeof after === 'string',
    startCursor: edges[0]?.cursor ?? null,
    endCursor: edges.at(-1)?.cursor ?? null,
  };
  return { edges, pageInfo };
}
