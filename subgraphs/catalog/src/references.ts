import { AppError } from '@kindred/domain/app-error';
import { decodeGlobalId, type ItemId, type TenantId } from '@kindred/domain/ids';
import type { FindEntities } from '@kindred/service/batch-entities';
import { requireTenant } from '@kindred/service/guards';
import type { ItemRow } from '@kindred/db/items';
import type { UserRow } from '@kindred/db/users';
import type { CatalogContext } from './context.ts';
import type { ImportRow } from './imports.ts';

/** The tenant as this subgraph knows it: by its id alone. */
export interface TenantReference {
  id: TenantId;
}

interface Reference {
  id: string;
}

// All of these are async: a synchronous throw would leave the rejections of a request's other references unhandled,
// which ends the process.

export async function resolveItem(reference: Reference, { loaders }: CatalogContext): Promise<ItemRow | null> {
  return loaders.items.load(decodeGlobalId('Item', reference.id));
}

/** The items of a page in one look-up; an id that is none is an error of its own place. */
export const findItemEntities: FindEntities<Reference, CatalogContext> = async (references, { itemCache, viewer }) => {
  const ids = references.map(({ id }) => readItemId(id));
  const wanted = ids.flatMap((id) => (id instanceof AppError ? [] : [id]));
  const items = await itemCache.find(requireTenant(viewer), [...new Set(wanted)]);
  return ids.map((id) => (id instanceof AppError ? id : (items.get(id) ?? null)));
};

function readItemId(globalId: string): ItemId | AppError {
  try {
    return decodeGlobalId('Item', globalId);
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
}

export async function resolveUser(reference: Reference, { loaders }: CatalogContext): Promise<UserRow | null> {
  return loaders.users.load(decodeGlobalId('User', reference.id));
}

export async function resolveImport(reference: Reference, { loaders }: CatalogContext): Promise<ImportRow | null> {
  return loaders.imports.load(decodeGlobalId('Import', reference.id));
}

/** The viewer's own tenant; another one does not exist for it. */
export async function resolveTenant(reference: Reference, { viewer }: CatalogContext): Promise<TenantReference | null> {
  const id = decodeGlobalId('Tenant', reference.id);
  return id === requireTenant(viewer) ? { id } : null;
}
