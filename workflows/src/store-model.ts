import { createHash } from 'node:crypto';
import type { VersionAlgorithm } from '@kindred/domain/training';
import type { ObjectStore } from '@kindred/service/object-store';
import type { RunRef } from './record-event.ts';
import { artefactKey } from './run-files.ts';

/** Points at a fitted model: the artefact that serving would load. */
export interface ModelRef {
  algorithm: VersionAlgorithm;
  key: string;
  sha256: string;
}

/** Stores a fitted model among the files of its run. */
export async function storeModel(
  objects: ObjectStore,
  run: RunRef,
  { algorithm, artefact }: { algorithm: VersionAlgorithm; artefact: Uint8Array },
): Promise<ModelRef> {
  const sha256 = createHash('sha256').update(artefact).digest('hex');
  const key = artefactKey(run, sha256);
  await objects.put(key, artefact);
  return { algorithm, key, sha256 };
}
