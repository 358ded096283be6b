import { readFileSync } from 'node:fs';
import { workerData } from 'node:worker_threads';
import { alignArtefact } from '@kindred/core/align-artefact';
import { type Artefact, decodeArtefact } from '@kindred/core/artefact';
import { bootstrapDifference, type Interval } from '@kindred/core/metrics/bootstrap';
import { prepareEvaluation } from '@kindred/core/metrics/evaluation-case';
import { measureExposure } from '@kindred/core/metrics/exposure';
import { measureLists, meanOf } from '@kindred/core/metrics/list-quality';
import { rankUsers } from '@kindred/core/metrics/rank-users';
import type { Ranker } from '@kindred/core/metrics/ranker';
import { popularityScores } from '@kindred/core/popularity';
import { decodeSnapshot } from '@kindred/core/snapshot';
import type { RankingMetrics } from '@kindred/domain/training';
import { serveThread } from './serve-thread.ts';
import { splitSnapshot } from './split-snapshot.ts';

export interface EvaluationThreadInput {
  snapshotPath: string;
  artefactPath: string;
  /** The artefacts of what the model is compared with, besides popularity. */
  rivals: { name: string; artefactPath: string }[];
}

export interface MeasuredModel {
  metrics: RankingMetrics;
  /** Each rival's NDCG@10 and the model's difference to it over the same users, popularity first. */
  comparisons: { name: string; ndcgAt10: number; difference: Interval }[];
  /** The share of the catalogue that lists of ten of the measured users could show at most. */
  reach: number;
}

const CUTOFF = 10;
const SEED = 1;

/** How well the model ranks the test interactions, beside its rivals; training and validation items are left out. */
serveThread<MeasuredModel>(() => {
  const { snapshotPath, artefactPath, rivals } = workerData as EvaluationThreadInput;
  const snapshot = decodeSnapshot(readFileSync(snapshotPath));
  const { train, validation, test } = splitSnapshot(snapshot.matrix);
  const data = prepareEvaluation(train, test, validation);
  const measure = (ranker: Ranker) => {
    const lists = rankUsers(ranker, data, { cutoff: CUTOFF });
    return { ...measureLists(lists, data), coverage: measureExposure(lists, data).coverage };
  };
  const load = (path: string): Artefact => decodeArtefact(readFileSync(path));
  const { dimension, users, items } = load(artefactPath);
  const own = measure({ userVectors: users, itemVectors: items, dimension });
  const compare = (name: string, ranker: Ranker) => {
    const { ndcg } = measure(ranker);
    return { name, ndcgAt10: meanOf(ndcg), difference: bootstrapDifference(own.ndcg, ndcg, { seed: SEED }) };
  };
  // What rivals knew is what the model knows: users whom an older version has not seen come with their training items.
  const known = { ...snapshot, matrix: train };
  return {
    value: {
      metrics: {
        ndcgAt10: meanOf(own.ndcg),
        recallAt10: meanOf(own.recall),
        hitRateAt10: meanOf(own.hit),
        coverageAt10: own.coverage,
      },
      comparisons: [
        compare('POPULARITY', { scores: popularityScores(train) }),
        ...rivals.map((rival) => compare(rival.name, alignArtefact(load(rival.artefactPath), known))),
      ],
      reach: Math.min(1, (CUTOFF * data.userRows.length) / Math.max(1, data.itemCount)),
    },
  };
});
