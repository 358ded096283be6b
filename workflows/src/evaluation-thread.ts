import { readFileSync } from 'node:fs';
import { workerData } from 'node:worker_threads';
import { decodeArtefact } from '@kindred/core/artefact';
import { evaluateRanking } from '@kindred/core/evaluate';
import { decodeSnapshot } from '@kindred/core/snapshot';
import type { RankingMetrics } from '@kindred/domain/training';
import { serveThread } from './serve-thread.ts';
import { splitSnapshot } from './split-snapshot.ts';

export interface EvaluationThreadInput {
  snapshotPath: string;
  artefactPath: string;
}

/** How well the model ranks the test interactions; training and validation items are left out. */
serveThread<RankingMetrics>(() => {
  const { snapshotPath, artefactPath } = workerData as EvaluationThreadInput;
  const { train, validation, test } = splitSnapshot(decodeSnapshot(readFileSync(snapshotPath)).matrix);
  const { dimension, users, items } = decodeArtefact(readFileSync(artefactPath));
  const model = { userVectors: users, itemVectors: items, dimension };
  return { value: evaluateRanking(model, train, test, { masked: validation }) };
});
