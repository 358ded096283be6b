import { createReadStream } from 'node:fs';
import type { TenantId, UserId } from '@kindred/domain/ids';
import { ObjectNotFoundError } from '@kindred/service/object-key';
import type { ObjectStore } from '@kindred/service/object-store';

/** Bytes of a file that are looked at together; beside them nothing of it is in memory. */
const CHUNK_BYTES = 4 * 2 ** 20;

/** The tenant's objects that hold a user's id, written out or as files of columns pack it; every byte of all is looked at. */
export async function findFilesHolding(
  objects: ObjectStore,
  { tenantId, userId }: { tenantId: TenantId; userId: UserId },
): Promise<string[]> {
  const forms = [Buffer.from(userId), Buffer.from(userId.replaceAll('-', ''), 'hex')];
  const holding: string[] = [];
  for (const key of await objects.list(`tenants/${tenantId}`)) {
    if (await holdsOneOf(objects, key, forms)) {
      holding.push(key);
    }
  }
  return holding;
}

/** Whether the object holds any of these bytes. Nothing is held by one that was deleted since it was listed. */
export async function holdsOneOf(objects: ObjectStore, key: string, forms: readonly Buffer[]): Promise<boolean> {
  const overlap = Math.max(...forms.map((form) => form.length)) - 1;
  let end = Buffer.alloc(0);
  try {
    const path = await objects.materialize(key);
    for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES })) {
      const bytes = Buffer.concat([end, chunk as Buffer]);
      if (forms.some((form) => bytes.includes(form))) return true;
      end = Buffer.from(bytes.subarray(Math.max(0, bytes.length - overlap)));
    }
    return false;
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  } finally {
    await objects.evict(key);
  }
}

function isGone(error: unknown): boolean {
  return error instanceof ObjectNotFoundError || (error instanceof Error && 'code' in error && error.code === 'ENOENT');
}
