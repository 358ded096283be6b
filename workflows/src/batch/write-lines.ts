import type { Artefact } from '@kindred/core/artefact';
import type { VectorIndex } from '@kindred/core/vector-index';
import type { Db } from '@kindred/db/client';
import { listItemsOfUsers } from '@kindred/db/interactions';
import { findItems } from '@kindred/db/items';
import { withTenant } from '@kindred/db/tenants';
import { findUsers } from '@kindred/db/users';
import type { BatchRecommendationLine } from '@kindred/domain/batch-recommendations';
import type { ItemId, UserId } from '@kindred/domain/ids';
import type { BatchRow } from '../load-batch.ts';

/** A version's vectors, and exact search over those of its items. */
export interface RankedVersion {
  artefact: Artefact;
  index: VectorIndex;
}

/** Whom a line is for. */
interface Reader {
  externalId: string;
  userRow: number;
  /** The rows of the items that the user has touched, of those that the version knows. */
  seenRows: number[];
}

/** So many items of a user are left out as seen, the newest. */
const MOST_SEEN = 10_000;
/** PostgreSQL takes 65,535 parameters. */
const IDS_PER_READ = 10_000;

/**
 * What writes the lines of some users, in order: nothing for those whom the version does not know or the tenant has not any
 * more. Each line ends with a newline.
 */
export function createLineWriter(
  db: Db,
  { tenantId, order: { count } }: BatchRow,
  { artefact, index }: RankedVersion,
): (userIds: readonly UserId[]) => Promise<string[]> {
  const userRows = rowsOf(artefact.userIds);
  const itemRows = rowsOf(artefact.itemIds);
  const nameItems = createItemNames(db, tenantId);
  return async (userIds) => {
    const known = userIds.filter((id) => userRows.has(id));
    const histories = await withTenant(db, tenantId, async (tx) => {
      const externalIds = (await findUsers(tx, known)).map(({ externalId }) => externalId);
      return listItemsOfUsers(tx, externalIds, { limit: MOST_SEEN });
    });
    const byUser = new Map(histories.map((history) => [history.userId, history]));
    const readers = known.flatMap((id): Reader[] => {
      const history = byUser.get(id);
      const seenRows = history?.items.flatMap(({ itemId }) => itemRows.get(itemId) ?? []) ?? [];
      return history ? [{ externalId: history.externalId, userRow: userRows.get(id) ?? 0, seenRows }] : [];
    });
    const { rows, scores } = await rank(readers, count, { artefact, index });
    const names = await nameItems(rowsToIds(rows, artefact));
    return readers.map(({ externalId }, reader) => {
      const items = Array.from({ length: count }, (_, place) => reader * count + place).flatMap((at) => {
        const name = names.get(artefact.itemIds[rows[at] ?? -1] ?? '');
        return name === undefined ? [] : [{ externalId: name, score: scores[at] ?? 0 }];
      });
      return `${JSON.stringify({ userExternalId: externalId, items } satisfies BatchRecommendationLine)}\n`;
    });
  };
}

async function rank(readers: readonly Reader[], count: number, { artefact, index }: RankedVersion) {
  const { dimension, users } = artefact;
  const queries = new Float32Array(readers.length * dimension);
  const offsets = new Int32Array(readers.length + 1);
  for (const [at, { userRow, seenRows }] of readers.entries()) {
    queries.set(users.subarray(userRow * dimension, (userRow + 1) * dimension), at * dimension);
    offsets[at + 1] = (offsets[at] ?? 0) + seenRows.length;
  }
  const rows = Int32Array.from(readers.flatMap(({ seenRows }) => seenRows));
  if (readers.length === 0) return { rows: new Int32Array(0), scores: new Float32Array(0) };
  return index.search(queries, count, { excludeRowsOf: { rows, offsets } });
}

function rowsToIds(rows: Int32Array, { itemIds }: Artefact): ItemId[] {
  return [...new Set(rows)].flatMap((row) => (row < 0 ? [] : [itemIds[row] as ItemId]));
}

/** What reads the tenant's own ids of items, each once; an item that is gone has none. */
function createItemNames(db: Db, tenantId: BatchRow['tenantId']) {
  const names = new Map<string, string>();
  return async (ids: readonly ItemId[]): Promise<ReadonlyMap<string, string>> => {
    const missing = ids.filter((id) => !names.has(id));
    for (let start = 0; start < missing.length; start += IDS_PER_READ) {
      const slice = missing.slice(start, start + IDS_PER_READ);
      const items = await withTenant(db, tenantId, (tx) => findItems(tx, slice));
      for (const { id, externalId } of items) names.set(id, externalId);
    }
    return names;
  };
}

function rowsOf(ids: readonly string[]): Map<string, number> {
  return new Map(ids.map((id, row) => [id, row]));
}
