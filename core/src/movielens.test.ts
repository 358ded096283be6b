import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readMovieLens } from '../bench/read-movielens.ts';
import { evaluateRanking } from './evaluate.ts';
import { foldInUser } from './fold-in.ts';
import { countUsersByItem, listItemsByUser } from './interaction-matrix.ts';
import { createTraining, bestEmbeddings, trainNextEpoch } from './lightgcn/training.ts';
import { defaultHyperparameters } from './lightgcn/hyperparameters.ts';
import { chooseAlgebra } from './models/choose-algebra.ts';
import { fitFoldInMap } from './models/fold-in-map.ts';
import { popularityScores } from './popularity.ts';
import { splitPerUser } from './split.ts';
import { buildVectorIndex } from './vector-index.ts';

const dataFolder = process.env.KINDRED_DATA_DIR ?? join(import.meta.dirname, '../../../shared/data');
const hasData = existsSync(join(dataFolder, 'ml-latest-small'));

describe.skipIf(!hasData)(`MovieLens ml-latest-small${hasData ? '' : ` (no data in ${dataFolder})`}`, () => {
  test('twelve epochs beat popularity on the newest tenth of each user, by vectors, by index and by fold-in', async () => {
    const matrix = readMovieLens(dataFolder);
    const {
      train,
      validation,
      test: heldOut,
    } = splitPerUser(matrix, {
      strategy: 'temporal',
      validationShare: 0.1,
      testShare: 0.1,
      seed: 1,
    });
    const training = await createTraining(
      train,
      validation,
      defaultHyperparameters({ interactionCount: train.userRows.length }),
    );
    for (let epoch = 0; epoch < 12; epoch++) await trainNextEpoch(training);
    const { users, items, dimension } = await bestEmbeddings(training);
    const evaluate = (userVectors: Float32Array) =>
      evaluateRanking({ userVectors, itemVectors: items, dimension }, train, heldOut, { masked: validation }).ndcgAt10;
    const popularity = evaluateRanking({ scores: popularityScores(train) }, train, heldOut, {
      masked: validation,
    }).ndcgAt10;
    const trained = evaluate(users);
    expect(trained).toBeGreaterThan(popularity * 1.15);

    const { offsets, items: listed } = listItemsByUser(train);
    const foldInMap = await fitFoldInMap(train, { users, items, dimension }, chooseAlgebra());
    const model = { dimension, items, itemDegrees: countUsersByItem(train), foldInPower: 0, foldInMap };
    const folded = new Float32Array(users.length);
    for (let user = 0; user < train.userCount; user++) {
      folded.set(foldInUser(model, listed.subarray(offsets[user], offsets[user + 1])), user * dimension);
    }
    expect(evaluate(folded)).toBeGreaterThan(trained * 0.95);

    const index = await buildVectorIndex(items, dimension, { queries: users });
    expect(index.recallAt20).toBeGreaterThanOrEqual(0.98);
  }, 120_000);
});
