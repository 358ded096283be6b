import { encodeCursor } from '@kindred/domain/cursor';

/** Where a page stands (Relay cursor connections specification). */
export interface PageInfo {
  hasNextPage: boolean;
  hasPreviousPage: boolean;
  startCursor: string | null;
  endCursor: string | null;
}

/** A page of a Relay connection. */
export interface Connection<Row> {
  edges: { cursor: string; node: Row }[];
  pageInfo: PageInfo;
}

interface PageArgs {
  first: number;
  after?: string | null | undefined;
}

/**
 * The page of at most `first` rows out of rows that were read one further, which tells whether there is a next page.
 * `positionOf` gives a row's keyset position.
 */
export function toConnection<Row>(
  rows: readonly Row[],
  { first, after }: PageArgs,
  positionOf: (row: Row) => string,
): Connection<Row> {
  const edges = rows.slice(0, first).map((node) => ({ cursor: encodeCursor(positionOf(node)), node }));
  const around = { hasNextPage: rows.length > first, hasPreviousPage: typeof after === 'string' };
  return { edges, pageInfo: toPageInfo(edges, around) };
}

/** What a page of these edges says of itself and of the pages around it. */
export function toPageInfo(
  edges: readonly { cursor: string }[],
  around: Pick<PageInfo, 'hasNextPage' | 'hasPreviousPage'>,
): PageInfo {
  return { ...around, startCursor: edges.at(0)?.cursor ?? null, endCursor: edges.at(-1)?.cursor ?? null };
}
