import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { workerData } from 'node:worker_threads';
import { encodeArtefact } from '@kindred/core/artefact';
import { countUsersByItem } from '@kindred/core/interaction-matrix';
import { loadBestEmbeddings } from '@kindred/core/lightgcn/training';
import { chooseAlgebra } from '@kindred/core/models/choose-algebra';
import { fitFoldInMap } from '@kindred/core/models/fold-in-map';
import { decodeSnapshot } from '@kindred/core/snapshot';
import { buildVectorIndex } from '@kindred/core/vector-index';
import type { IndexKind } from '@kindred/domain/training';
import { serveThread } from './serve-thread.ts';
import { splitSnapshot } from './split-snapshot.ts';

export interface IndexThreadInput {
  snapshotPath: string;
  checkpointPath: string;
  /** An empty folder for the files, which the caller deletes. */
  outputFolder: string;
}

/** A file in the output folder. */
export interface BuiltFile {
  path: string;
  sha256: string;
}

export interface BuiltVersion {
  artefact: BuiltFile;
  /** Null where exact search over the artefact's vectors is the index. */
  indexFile: BuiltFile | null;
  index: { kind: IndexKind; factory: string | null; recallAt20: number };
  /** Why the index is not the one that was wanted; null when it is. */
  notice: string | null;
}

serveThread<BuiltVersion>(async () => {
  const { snapshotPath, checkpointPath, outputFolder } = workerData as IndexThreadInput;
  const { matrix, userIds, itemIds } = decodeSnapshot(readFileSync(snapshotPath));
  const { train, validation } = splitSnapshot(matrix);
  const embeddings = await loadBestEmbeddings(readFileSync(checkpointPath), train, validation);
  const artefact = encodeArtefact({
    ...embeddings,
    userIds,
    itemIds,
    itemDegrees: countUsersByItem(train),
    foldInPower: 0,
    foldInMap: await fitFoldInMap(train, embeddings, chooseAlgebra()),
    popularity: countUsersByItem(matrix),
    cutoffTimestamp: matrix.timestamps.reduce((newest, timestamp) => Math.max(newest, timestamp), 0),
  });
  const artefactPath = `${outputFolder}/artefact`;
  writeFileSync(artefactPath, artefact);
  const index = await buildVectorIndex(embeddings.items, embeddings.dimension, { queries: embeddings.users });
  const indexPath = `${outputFolder}/index`;
  const isExact = index.kind === 'exact';
  if (!isExact) {
    await index.write(indexPath);
  }
  const { factory, notice } = index;
  const recallAt20 = index.recallAt20 ?? 0;
  index.close();
  return {
    value: {
      artefact: { path: artefactPath, sha256: sha256(artefact) },
      indexFile: isExact ? null : { path: indexPath, sha256: sha256(readFileSync(indexPath)) },
      index: { kind: isExact ? 'EXACT' : 'FAISS', factory, recallAt20 },
      notice,
    },
  };
});

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
