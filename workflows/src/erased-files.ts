import type { TenantId, UserId } from '@kindred/domain/ids';
import { ObjectNotFoundError } from '@kindred/service/object-key';
import type { ObjectStore } from '@kindred/service/object-store';

/** The tenant's objects that hold a user's id, written out or as files of columns pack it; every byte of all is looked at. */
export async function findFilesHolding(
  objects: ObjectStore,
  { tenantId, userId }: { tenantId: TenantId; userId: UserId },
): Promise<string[]> {
  const packed = Buffer.from(userId.replaceAll('-', ''), 'hex');
  const holding: string[] = [];
  for (const key of await objects.list(`tenants/${tenantId}`)) {
    const bytes = await readIfThere(objects, key);
    if (bytes.includes(packed) || bytes.includes(userId)) {
      holding.push(key);
    }
  }
  return holding;
}

/** Nothing of an object that was deleted since it was listed. */
async function readIfThere(objects: ObjectStore, key: string): Promise<Buffer> {
  try {
    const { buffer, byteOffset, byteLength } = await objects.get(key);
    return Buffer.from(buffer, byteOffset, byteLength);
  } catch (error) {
    if (error instanceof ObjectNotFoundError) {
      return Buffer.alloc(0);
    }
    throw error;
  }
}
