import { ObjectNotFoundError } from '@kindred/service/object-key';
import type { ObjectStore } from '@kindred/service/object-store';
import type { RunRef } from './record-event.ts';
import { checkpointKey, latestCheckpointKey } from './run-files.ts';

/** Points at a stored training: after which epoch, and where. All that a heartbeat carries. */
export interface CheckpointPointer {
  epoch: number;
  checkpointKey: string;
}

/**
 * Stores the training after an epoch, then the pointer to it: an attempt that dies in between leaves the checkpoint
 * before. Attempts that overlap write the same bytes, since a training resumes bit for bit. The last two are kept.
 */
export async function storeCheckpoint(
  objects: ObjectStore,
  run: RunRef,
  { epoch, bytes }: { epoch: number; bytes: Uint8Array },
): Promise<CheckpointPointer> {
  const pointer = { epoch, checkpointKey: checkpointKey(run, epoch) };
  await objects.put(pointer.checkpointKey, bytes);
  await objects.put(latestCheckpointKey(run), Buffer.from(JSON.stringify(pointer)));
  if (epoch > 2) {
    await objects.delete(checkpointKey(run, epoch - 2));
  }
  return pointer;
}

/** The pointer that the store holds; it is at least as new as any heartbeat, which the SDK may hold back for seconds. */
export async function readLatestPointer(objects: ObjectStore, run: RunRef): Promise<CheckpointPointer | null> {
  try {
    const bytes = await objects.get(latestCheckpointKey(run));
    return JSON.parse(Buffer.from(bytes).toString('utf8')) as CheckpointPointer;
  } catch (error) {
    if (error instanceof ObjectNotFoundError) {
      return null;
    }
    throw error;
  }
}

/** Of the pointers that are there, the one that is furthest on. */
export function furthest(...pointers: readonly (CheckpointPointer | null | undefined)[]): CheckpointPointer | null {
  return pointers.reduce<CheckpointPointer | null>(
    (best, pointer) => (pointer != null && pointer.epoch > (best?.epoch ?? 0) ? pointer : best),
    null,
  );
}
