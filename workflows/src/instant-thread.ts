import { readFileSync } from 'node:fs';
import { workerData } from 'node:worker_threads';
import { evaluateRanking } from '@kindred/core/evaluate';
import { fitInstantModel } from '@kindred/core/instant-model';
import { popularityScores } from '@kindred/core/popularity';
import { decodeSnapshot } from '@kindred/core/snapshot';
import type { RankingMetrics } from '@kindred/domain/training';
import { encodeModel } from './model-artefact.ts';
import { serveThread } from './serve-thread.ts';
import { splitSnapshot } from './split-snapshot.ts';

export interface InstantThreadInput {
  snapshotPath: string;
}

/** What something scores on both held-out parts; on the test one, training and validation items are left out. */
export interface Standing {
  validation: RankingMetrics;
  test: RankingMetrics;
}

/** The model that needs no training and popularity: what the trained model has to beat. */
export interface InstantModel {
  artefact: Uint8Array<ArrayBuffer>;
  spectral: Standing;
  popularity: Standing;
}

serveThread<InstantModel>(async () => {
  const { snapshotPath } = workerData as InstantThreadInput;
  const snapshot = decodeSnapshot(readFileSync(snapshotPath));
  const { train, validation, test } = splitSnapshot(snapshot.matrix);
  const model = await fitInstantModel(train);
  const measure = (ranker: Parameters<typeof evaluateRanking>[0]): Standing => ({
    validation: evaluateRanking(ranker, train, validation),
    test: evaluateRanking(ranker, train, test, { masked: validation }),
  });
  const { users, items, dimension } = model;
  const artefact = encodeModel(snapshot, train, model);
  return {
    value: {
      artefact,
      spectral: measure({ userVectors: users, itemVectors: items, dimension }),
      popularity: measure({ scores: popularityScores(train) }),
    },
    transfer: [artefact.buffer],
  };
});
