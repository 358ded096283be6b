import { readFileSync } from 'node:fs';
import { workerData } from 'node:worker_threads';
import { evaluateRanking } from '@kindred/core/evaluate';
import { loadBestEmbeddings } from '@kindred/core/lightgcn/training';
import { popularityScores } from '@kindred/core/popularity';
import { decodeSnapshot } from '@kindred/core/snapshot';
import type { RankingMetrics } from '@kindred/domain/training';
import { serveThread } from './serve-thread.ts';
import { splitSnapshot } from './split-snapshot.ts';

export interface EvaluationThreadInput {
  snapshotPath: string;
  checkpointPath: string;
}

/** How well the model and what it must beat rank the test interactions; training and validation items are left out. */
export interface Evaluation {
  metrics: RankingMetrics;
  baselines: { name: string; metrics: RankingMetrics }[];
}

serveThread<Evaluation>(async () => {
  const { snapshotPath, checkpointPath } = workerData as EvaluationThreadInput;
  const { train, validation, test } = splitSnapshot(decodeSnapshot(readFileSync(snapshotPath)).matrix);
  const { dimension, users, items } = await loadBestEmbeddings(readFileSync(checkpointPath), train, validation);
  const model = { userVectors: users, itemVectors: items, dimension };
  const popularity = { scores: popularityScores(train) };
  const masked = { masked: validation };
  return {
    value: {
      metrics: evaluateRanking(model, train, test, masked),
      baselines: [{ name: 'POPULARITY', metrics: evaluateRanking(popularity, train, test, masked) }],
    },
  };
});
