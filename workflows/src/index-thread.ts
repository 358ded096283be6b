import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { workerData } from 'node:worker_threads';
import { decodeArtefact } from '@kindred/core/artefact';
import { buildVectorIndex } from '@kindred/core/vector-index';
import type { IndexKind } from '@kindred/domain/training';
import { serveThread } from './serve-thread.ts';

export interface IndexThreadInput {
  artefactPath: string;
  /** An empty folder for the file, which the caller deletes. */
  outputFolder: string;
}

export interface BuiltIndex {
  /** Null where exact search over the artefact's vectors is the index. */
  file: { path: string; sha256: string } | null;
  index: { kind: IndexKind; factory: string | null; recallAt20: number };
  /** Why it suits the catalogue. */
  reason: string | null;
  /** Why the index is not the one that was wanted; null when it is. */
  notice: string | null;
}

serveThread<BuiltIndex>(async () => {
  const { artefactPath, outputFolder } = workerData as IndexThreadInput;
  const { users, items, dimension } = decodeArtefact(readFileSync(artefactPath));
  const index = await buildVectorIndex(items, dimension, { queries: users });
  const path = `${outputFolder}/index`;
  const isExact = index.kind === 'exact';
  if (!isExact) {
    await index.write(path);
  }
  const { factory, notice, reason } = index;
  const recallAt20 = index.recallAt20 ?? 0;
  index.close();
  return {
    value: {
      file: isExact ? null : { path, sha256: createHash('sha256').update(readFileSync(path)).digest('hex') },
      index: { kind: isExact ? 'EXACT' : 'FAISS', factory, recallAt20 },
      reason,
      notice,
    },
  };
});
