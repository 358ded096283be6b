import type { ItemId, TenantId } from './ids.ts';

/** The Redis channel on which every change of a catalogue is told, whichever tenant's. */
export const ITEMS_CHANGED_TOPIC = 'catalog:items-changed';

/** Items of one tenant that were written; `itemIds` is null where they are too many to name. */
export interface ItemsChanged {
  tenantId: TenantId;
  itemIds: readonly ItemId[] | null;
}

const MOST_NAMED = 500;

export function writeItemsChanged(tenantId: TenantId, itemIds: readonly ItemId[]): string {
  return JSON.stringify({ tenantId, itemIds: itemIds.length > MOST_NAMED ? null : itemIds } satisfies ItemsChanged);
}

/** What `writeItemsChanged` wrote. */
export function readItemsChanged(message: string): ItemsChanged {
  return JSON.parse(message) as ItemsChanged;
}
