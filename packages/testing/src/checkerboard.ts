import type { Db } from '@kindred/db/client';
import { type NewInteraction, recordInteractions } from '@kindred/db/interactions';
import { findItemsByExternalIds, upsertItems } from '@kindred/db/items';
import { withTenant } from '@kindred/db/tenants';
import type { ItemId, TenantId } from '@kindred/domain/ids';

/** The time of the first interaction; each user's next one is a minute later. */
const START = Date.UTC(2026, 0, 1);
const MINUTE_MS = 60_000;

/** A catalogue of two tastes: users of even number know even items only, the others odd ones. */
export interface Checkerboard {
  /** `user-0`, `user-1`, ... */
  userExternalIds: string[];
  /** `item-0`, `item-1`, ..., in the categories `even` and `odd`. */
  itemExternalIds: string[];
  itemIds: Map<string, ItemId>;
  /** The one item of each user's taste that the user has not touched: what a recommender must find first. */
  withheld: Map<string, string>;
  interactionCount: number;
}

/** Writes a checkerboard into a tenant; the same sizes give the same world. */
export async function seedCheckerboard(
  db: Db,
  tenantId: TenantId,
  size: { userCount?: number; itemCount?: number } = {},
): Promise<Checkerboard> {
  const userExternalIds = Array.from({ length: size.userCount ?? 40 }, (_, user) => `user-${user}`);
  const itemExternalIds = Array.from({ length: size.itemCount ?? 20 }, (_, item) => `item-${item}`);
  const withheld = new Map<string, string>();
  const rows = userExternalIds.flatMap((userExternalId, user) => {
    const taste = itemExternalIds.filter((_, item) => item % 2 === user % 2);
    const held = taste[Math.floor(user / 2) % taste.length];
    if (held !== undefined) {
      withheld.set(userExternalId, held);
    }
    return taste.filter((item) => item !== held).map((item, step) => viewOf(userExternalId, item, step));
  });
  const items = await withTenant(db, tenantId, async (tx) => {
    await upsertItems(
      tx,
      itemExternalIds.map((externalId, item) => ({
        externalId,
        title: `Item ${item}`,
        categories: [item % 2 === 0 ? 'even' : 'odd'],
        properties: { number: item },
      })),
    );
    await recordInteractions(tx, rows);
    return findItemsByExternalIds(tx, itemExternalIds);
  });
  return {
    userExternalIds,
    itemExternalIds,
    itemIds: new Map(items.map((item) => [item.externalId, item.id])),
    withheld,
    interactionCount: rows.length,
  };
}

function viewOf(userExternalId: string, itemExternalId: string, step: number): NewInteraction {
  return {
    eventId: `${userExternalId}/${itemExternalId}`,
    userExternalId,
    itemExternalId,
    type: 'VIEW',
    occurredAt: new Date(START + step * MINUTE_MS),
  };
}
