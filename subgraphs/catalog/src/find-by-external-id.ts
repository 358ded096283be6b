import { findItemsByExternalIds, type ItemRow } from '@kindred/db/items';
import { withTenant } from '@kindred/db/tenants';
import { findUserByExternalId, type UserRow } from '@kindred/db/users';
import { isStorableText } from '@kindred/domain/text';
import { requireTenant } from '@kindred/service/guards';
import type { CatalogContext } from './context.ts';

/** The tenant's item of this id, or null. */
export async function findItem({ db, viewer }: CatalogContext, externalId: string): Promise<ItemRow | null> {
  // What cannot be stored was not stored.
  if (!isStorableText(externalId)) return null;
  const [item] = await withTenant(db, requireTenant(viewer), (tx) => findItemsByExternalIds(tx, [externalId]));
  return item ?? null;
}

/** The tenant's end user of this id, or null. */
export async function findUser({ db, viewer }: CatalogContext, externalId: string): Promise<UserRow | null> {
  if (!isStorableText(externalId)) return null;
  return withTenant(db, requireTenant(viewer), (tx) => findUserByExternalId(tx, externalId));
}
