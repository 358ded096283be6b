import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { createCheckerboard, matrixOf } from '../../golden/checkerboard.ts';
import { sealColumns } from '../columnar-file.ts';
import { splitPerUser } from '../split.ts';
import { loadLightGcn, saveLightGcn } from './checkpoint.ts';
import { createLightGcn, embeddings, trainEpoch } from './light-gcn.ts';
import {
  bestEmbeddings,
  createTraining,
  isTrainingFinished,
  layOutTraining,
  loadBestEmbeddings,
  loadTraining,
  saveTraining,
  trainNextEpoch,
} from './training.ts';

const SETTINGS = {
  dimension: 8,
  layers: 2,
  learningRate: 0.02,
  regularization: 1e-4,
  batchSize: 16,
  epochs: 30,
  patience: 3,
  seed: 5,
};
const { train, validation } = splitPerUser(createCheckerboard(16).train, {
  strategy: 'random',
  validationShare: 0.2,
  testShare: 0.1,
  seed: 1,
});

test('a model saved and loaded between epochs continues bit for bit', async () => {
  const whole = await createLightGcn(train, SETTINGS);
  const first = await createLightGcn(train, SETTINGS);
  for (let epoch = 0; epoch < 3; epoch++) await trainEpoch(first);
  const resumed = await loadLightGcn(saveLightGcn(first), train);
  const wholeLosses: number[] = [];
  while (wholeLosses.length < 6) wholeLosses.push((await trainEpoch(whole)).loss);
  const resumedLosses: number[] = [];
  while (resumedLosses.length < 3) resumedLosses.push((await trainEpoch(resumed)).loss);
  expect(resumedLosses).toEqual(wholeLosses.slice(3));
  expect(resumed.state).toEqual(whole.state);
  expect(await embeddings(resumed)).toEqual(await embeddings(whole));
});

test('a training saved after each epoch gives the reports and the best vectors of one that never stopped', async () => {
  const whole = await createTraining(train, validation, SETTINGS);
  let resumed = await createTraining(train, validation, SETTINGS);
  while (!isTrainingFinished(whole)) {
    const report = await trainNextEpoch(whole);
    expect(isTrainingFinished(resumed)).toBe(false);
    expect(await trainNextEpoch(resumed)).toEqual(report);
    resumed = await loadTraining(saveTraining(resumed), train, validation);
  }
  expect(isTrainingFinished(resumed)).toBe(true);
  const best = await bestEmbeddings(whole);
  expect(await bestEmbeddings(resumed)).toEqual(best);
  expect(await loadBestEmbeddings(saveTraining(whole), train, validation)).toEqual(best);
});

test('a training laid out in used memory and sealed is the saved one, byte for byte, and known by its sha256', async () => {
  const training = await createTraining(train, validation, SETTINGS);
  await trainNextEpoch(training);
  const used = new Uint8Array(new SharedArrayBuffer(100_000)).fill(255);
  const bytes = layOutTraining(training, (byteCount) => used.subarray(7, 7 + byteCount));
  const sha256 = sealColumns(bytes);
  const saved = saveTraining(training);
  expect(bytes).toEqual(saved);
  expect(sha256).toBe(createHash('sha256').update(saved).digest('hex'));
});

test('training stops `patience` epochs after the best and keeps the best', async () => {
  const training = await createTraining(train, validation, SETTINGS);
  const reports = [];
  while (!isTrainingFinished(training)) reports.push(await trainNextEpoch(training));
  const best = Math.max(...reports.map(({ ndcgAt10 }) => ndcgAt10));
  const firstBest = reports.findIndex(({ ndcgAt10 }) => ndcgAt10 === best) + 1;
  expect(training.best).toMatchObject({ ndcgAt10: best, epoch: firstBest });
  expect(reports).toHaveLength(Math.min(SETTINGS.epochs, firstBest + SETTINGS.patience));
});

test('without validation interactions all epochs run and the last vectors count', async () => {
  const training = await createTraining(train, matrixOf(16, 16, []), { ...SETTINGS, epochs: 5, patience: 1 });
  while (!isTrainingFinished(training)) await trainNextEpoch(training);
  expect(training.best?.epoch).toBe(5);
  expect(await bestEmbeddings(training)).toEqual(await embeddings(training.model));
});

test('a checkpoint of other training data is refused', async () => {
  const bytes = saveLightGcn(await createLightGcn(train, SETTINGS));
  const loading = loadLightGcn(bytes, createCheckerboard(16).train);
  await expect(loading).rejects.toMatchObject({ name: 'CheckpointError', reason: 'MALFORMED' });
});

test('a truncated or altered checkpoint is refused', async () => {
  const bytes = saveLightGcn(await createLightGcn(train, SETTINGS));
  await expect(loadLightGcn(bytes.slice(0, -5), train)).rejects.toMatchObject({ reason: 'TRUNCATED' });
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
  await expect(loadLightGcn(bytes, train)).rejects.toMatchObject({ reason: 'CORRUPT' });
});
