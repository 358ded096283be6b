import { listUserItems } from '@kindred/db/interactions';
import { findItemsByExternalIds } from '@kindred/db/items';
import type { TenantTx } from '@kindred/db/tenants';
import { findUserByExternalId } from '@kindred/db/users';
import type { ItemId, UserId } from '@kindred/domain/ids';
import type { Question } from './read-question.ts';

/** What the tenant knows of whom a question is about. */
export interface History {
  /** Null for a session, and for a user whom the tenant does not have. */
  userId: UserId | null;
  /** The user's or the session's items, the latest first, each once. */
  itemIds: readonly ItemId[];
  /** What must not be in the answer: these and the excluded ones. */
  masked: ReadonlySet<ItemId>;
  /** The newest of the interactions; the epoch without any. */
  newestOccurredAt: Date;
  newestRecordedAt: Date;
}

/** Who has seen more is shown the oldest again. */
export const MOST_SEEN = 5_000;

/** Reads it all in the given transaction. Ids that the tenant does not have are left out. */
export async function readHistory(tx: TenantTx, question: Question): Promise<History> {
  const { audience, excludeItems, after } = question;
  const sessionItems = audience !== null && 'sessionItems' in audience ? audience.sessionItems : [];
  const idOf = await findItemIds(tx, [...sessionItems, ...excludeItems]);
  const idsOf = (externalIds: readonly string[]) => externalIds.flatMap((externalId) => idOf.get(externalId) ?? []);
  const excludedIds = idsOf(excludeItems);
  const user =
    audience !== null && 'userExternalId' in audience ? await findUserByExternalId(tx, audience.userExternalId) : null;
  if (user === null) {
    const itemIds = [...new Set(idsOf(sessionItems).toReversed())];
    const masked = new Set([...itemIds, ...excludedIds]);
    return { userId: null, itemIds, masked, newestOccurredAt: new Date(0), newestRecordedAt: new Date(0) };
  }
  const items = await listUserItems(tx, user.id, { limit: MOST_SEEN, recordedUntil: after?.knownUntil });
  const itemIds = items.map((item) => item.itemId);
  return {
    userId: user.id,
    itemIds,
    masked: new Set([...itemIds, ...excludedIds]),
    newestOccurredAt: newestOf(items.map((item) => item.occurredAt)),
    newestRecordedAt: newestOf(items.map((item) => item.recordedAt)),
  };
}

async function findItemIds(tx: TenantTx, externalIds: readonly string[]): Promise<Map<string, ItemId>> {
  if (externalIds.length === 0) return new Map();
  const items = await findItemsByExternalIds(tx, [...new Set(externalIds)]);
  return new Map(items.map((item) => [item.externalId, item.id]));
}

function newestOf(dates: readonly Date[]): Date {
  return new Date(dates.reduce((newest, date) => Math.max(newest, date.getTime()), 0));
}
