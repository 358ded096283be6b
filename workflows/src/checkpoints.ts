import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { sealColumns } from '@kindred/core/columnar-file';
import type { Checkpoint } from '@kindred/domain/training';
import { ObjectNotFoundError } from '@kindred/service/object-key';
import type { ObjectStore } from '@kindred/service/object-store';
import type { RunRef } from './record-event.ts';
import { checkpointKey } from './run-files.ts';

/**
 * Seals the training after an epoch, and stores it under a name of its own content. Nothing goes on from it before the run's row names it:
 * an attempt that dies in between leaves the checkpoint before.
 */
export async function storeCheckpoint(
  objects: ObjectStore,
  run: RunRef,
  { epoch, bytes }: { epoch: number; bytes: Uint8Array },
): Promise<Checkpoint> {
  const sha256 = sealColumns(bytes);
  const key = checkpointKey(run, { epoch, sha256 });
  await objects.put(key, bytes);
  return { epoch, key, sha256 };
}

/** A checkpoint as a local file. */
export interface UsableCheckpoint {
  checkpoint: Checkpoint;
  path: string;
}

/** Of the checkpoints, newest first, the first whose file is there and undamaged; null when none is. */
export async function findUsableCheckpoint(
  objects: ObjectStore,
  checkpoints: readonly Checkpoint[],
): Promise<UsableCheckpoint | null> {
  for (const checkpoint of checkpoints) {
    const path = await materializeUndamaged(objects, checkpoint);
    if (path !== null) {
      return { checkpoint, path };
    }
  }
  return null;
}

async function materializeUndamaged(objects: ObjectStore, { key, sha256 }: Checkpoint): Promise<string | null> {
  try {
    const path = await objects.materialize(key);
    const found = createHash('sha256')
      .update(await readFile(path))
      .digest('hex');
    return found === sha256 ? path : null;
  } catch (error) {
    if (error instanceof ObjectNotFoundError) {
      return null;
    }
    throw error;
  }
}
