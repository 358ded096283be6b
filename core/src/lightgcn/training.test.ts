import { expect, test } from 'vitest';
import { createCheckerboard, matrixOf } from '../../golden/checkerboard.ts';
import { splitPerUser } from '../split.ts';
import { loadLightGcn, saveLightGcn } from './checkpoint.ts';
import { createLightGcn, embeddings, trainEpoch } from './light-gcn.ts';
import {
  bestEmbeddings,
  createTraining,
  isTrainingFinished,
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

test('a model saved and loaded between epochs continues bit for bit', () => {
  const whole = createLightGcn(train, SETTINGS);
  const first = createLightGcn(train, SETTINGS);
  for (let epoch = 0; epoch < 3; epoch++) trainEpoch(first);
  const resumed = loadLightGcn(saveLightGcn(first), train);
  const wholeLosses = Array.from({ length: 6 }, () => trainEpoch(whole).loss);
  const resumedLosses = Array.from({ length: 3 }, () => trainEpoch(resumed).loss);
  expect(resumedLosses).toEqual(wholeLosses.slice(3));
  expect(resumed.state).toEqual(whole.state);
  expect(embeddings(resumed)).toEqual(embeddings(whole));
});

test('a training saved after each epoch gives the reports and the best vectors of one that never stopped', () => {
  const whole = createTraining(train, validation, SETTINGS);
  let resumed = createTraining(train, validation, SETTINGS);
  while (!isTrainingFinished(whole)) {
    const report = trainNextEpoch(whole);
    expect(isTrainingFinished(resumed)).toBe(false);
    expect(trainNextEpoch(resumed)).toEqual(report);
    resumed = loadTraining(saveTraining(resumed), train, validation);
  }
  expect(isTrainingFinished(resumed)).toBe(true);
  expect(bestEmbeddings(resumed)).toEqual(bestEmbeddings(whole));
});

test('training stops `patience` epochs after the best and keeps the best', () => {
  const training = createTraining(train, validation, SETTINGS);
  const reports = [];
  while (!isTrainingFinished(training)) reports.push(trainNextEpoch(training));
  const best = Math.max(...reports.map(({ ndcgAt10 }) => ndcgAt10));
  const firstBest = reports.findIndex(({ ndcgAt10 }) => ndcgAt10 === best) + 1;
  expect(training.best).toMatchObject({ ndcgAt10: best, epoch: firstBest });
  expect(reports).toHaveLength(Math.min(SETTINGS.epochs, firstBest + SETTINGS.patience));
});

test('without validation interactions all epochs run and the last vectors count', () => {
  const training = createTraining(train, matrixOf(16, 16, []), { ...SETTINGS, epochs: 5, patience: 1 });
  while (!isTrainingFinished(training)) trainNextEpoch(training);
  expect(training.best?.epoch).toBe(5);
  expect(bestEmbeddings(training)).toEqual(embeddings(training.model));
});

test('a checkpoint of other training data is refused', () => {
  const bytes = saveLightGcn(createLightGcn(train, SETTINGS));
  const load = () => loadLightGcn(bytes, createCheckerboard(16).train);
  expect(load).toThrow(expect.objectContaining({ name: 'CheckpointError', reason: 'MALFORMED' }));
});

test('a truncated or altered checkpoint is refused', () => {
  const bytes = saveLightGcn(createLightGcn(train, SETTINGS));
  expect(() => loadLightGcn(bytes.slice(0, -5), train)).toThrow(expect.objectContaining({ reason: 'TRUNCATED' }));
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
  expect(() => loadLightGcn(bytes, train)).toThrow(expect.objectContaining({ reason: 'CORRUPT' }));
});
