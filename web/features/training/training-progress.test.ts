import { describe, expect, it } from 'vitest';
import type { HeldOutPart } from '../../src/generated/graphql.ts';
import {
  applyEvents,
  axisEnd,
  bestEpoch,
  NO_PROGRESS,
  popularityLevel,
  type ProgressEvent,
  stepState,
  type TrainingProgress,
} from './training-progress.ts';

const START = Date.parse('2026-11-23T17:00:00.000Z');

function event(sequence: number, rest: Partial<ProgressEvent> & Pick<ProgressEvent, 'kind'>): ProgressEvent {
  return {
    sequence,
    at: new Date(START + sequence * 1000).toISOString(),
    message: '',
    phase: null,
    epoch: null,
    evaluation: null,
    ...rest,
  };
}

function epoch(sequence: number, number: number, ndcgAt10 = number / 100): ProgressEvent {
  const figures = {
    epoch: number,
    epochs: 40,
    loss: 1 / number,
    ndcgAt10,
    recallAt10: 0.1,
    samplesPerSecond: 5e4,
    etaMs: 9000,
  };
  return event(sequence, { kind: 'EPOCH_FINISHED', epoch: figures });
}

function baseline(
  sequence: number,
  evaluation: { name: string; heldOut: HeldOutPart; ndcgAt10: number },
): ProgressEvent {
  const { name, heldOut, ndcgAt10 } = evaluation;
  const metrics = { ndcgAt10, recallAt10: 0.1, hitRateAt10: 0.4, coverageAt10: 0.01 };
  return event(sequence, { kind: 'BASELINE_EVALUATED', evaluation: { name, heldOut, metrics } });
}

const RUN: ProgressEvent[] = [
  event(1, { kind: 'PHASE_STARTED', phase: 'PREFLIGHT' }),
  event(2, { kind: 'PHASE_STARTED', phase: 'TRAIN' }),
  baseline(3, { name: 'POPULARITY', heldOut: 'VALIDATION', ndcgAt10: 0.08 }),
  epoch(4, 1),
  epoch(5, 2),
  epoch(6, 3),
  event(7, { kind: 'PHASE_STARTED', phase: 'EVALUATE' }),
  baseline(8, { name: 'POPULARITY', heldOut: 'TEST', ndcgAt10: 0.11 }),
  event(9, { kind: 'FINISHED' }),
];

function withoutClosures(progress: TrainingProgress): unknown {
  return { ...progress, early: [...progress.early.keys()] };
}

describe('applyEvents', () => {
  it('draws one point per epoch, in order', () => {
    const progress = applyEvents(NO_PROGRESS, RUN);
    expect(progress.points.map((point) => point.epoch)).toEqual([1, 2, 3]);
    expect(progress).toMatchObject({ lastSequence: 9, phase: 'EVALUATE', plannedEpochs: 40, finished: true });
  });

  it('shows a pause until the run goes on, stops or ends, and a stop for good', () => {
    const paused = applyEvents(NO_PROGRESS, [...RUN.slice(0, 4), event(5, { kind: 'PAUSED' })]);
    expect(paused).toMatchObject({ paused: true, stopping: false, trainedBy: null });
    expect(applyEvents(paused, [event(6, { kind: 'RESUMED' })])).toMatchObject({ paused: false });
    expect(applyEvents(paused, [event(6, { kind: 'FINISHED' })])).toMatchObject({ paused: false, finished: true });
    const stopping = applyEvents(paused, [event(6, { kind: 'STOPPING' }), event(7, { kind: 'FINISHED' })]);
    expect(stopping).toMatchObject({ paused: false, stopping: true, finished: true });
  });

  it('gives the same progress whatever order the events come in', () => {
    const inOrder = applyEvents(NO_PROGRESS, RUN);
    const orders = [
      RUN.toReversed(),
      [...RUN.slice(4), ...RUN.slice(0, 4)],
      RUN.filter((_, at) => at % 2 === 1).concat(RUN),
    ];
    for (const order of orders) {
      const oneByOne = order.reduce((progress, next) => applyEvents(progress, [next]), NO_PROGRESS);
      expect(withoutClosures(oneByOne)).toEqual(withoutClosures(inOrder));
    }
  });

  it('changes nothing for an event that it has applied already', () => {
    const progress = applyEvents(NO_PROGRESS, RUN.slice(0, 5));
    expect(applyEvents(progress, RUN.slice(2, 5))).toBe(progress);
  });

  it('holds an early event back until those before it have come', () => {
    const gap = applyEvents(applyEvents(NO_PROGRESS, RUN.slice(0, 4)), [epoch(6, 3)]);
    expect(gap.points).toHaveLength(1);
    expect(gap.lastSequence).toBe(4);
    const filled = applyEvents(gap, [epoch(5, 2)]);
    expect(filled.points.map((point) => point.epoch)).toEqual([1, 2, 3]);
    expect(filled.early.size).toBe(0);
  });

  it('resumes after a reconnect without a lost or doubled point', () => {
    const beforeLoss = applyEvents(NO_PROGRESS, RUN.slice(0, 5));
    const replayed = RUN.filter(({ sequence }) => sequence > beforeLoss.lastSequence - 2);
    const resumed = applyEvents(beforeLoss, replayed);
    expect(withoutClosures(resumed)).toEqual(withoutClosures(applyEvents(NO_PROGRESS, RUN)));
  });

  it('replaces the epochs that a worker trains again after it resumed from a checkpoint', () => {
    const progress = applyEvents(NO_PROGRESS, [epoch(1, 1), epoch(2, 2), epoch(3, 3), epoch(4, 2, 0.5)]);
    expect(progress.points.map((point) => [point.epoch, point.ndcgAt10])).toEqual([
      [1, 0.01],
      [2, 0.5],
    ]);
  });

  it('knows the line of a baseline as soon as it is measured, on the interactions of the curve alone', () => {
    expect(popularityLevel(applyEvents(NO_PROGRESS, RUN.slice(0, 2)))).toBeNull();
    expect(popularityLevel(applyEvents(NO_PROGRESS, RUN.slice(0, 3)))).toBe(0.08);
    expect(popularityLevel(applyEvents(NO_PROGRESS, RUN))).toBe(0.08);
    const spectral = baseline(4, { name: 'SPECTRAL', heldOut: 'VALIDATION', ndcgAt10: 0.1 });
    expect(applyEvents(NO_PROGRESS, [...RUN.slice(0, 3), spectral]).baselines).toEqual([
      { name: 'POPULARITY', ndcgAt10: 0.08 },
      { name: 'SPECTRAL', ndcgAt10: 0.1 },
    ]);
  });

  it('expects the end of the training by the last estimate, until the training is over', () => {
    expect(applyEvents(NO_PROGRESS, RUN.slice(0, 6)).trainedBy).toBe(START + 6000 + 9000);
    expect(applyEvents(NO_PROGRESS, RUN.slice(0, 7)).trainedBy).toBeNull();
  });
});

describe('stepState', () => {
  it('marks the steps before the current one done and those after it waiting', () => {
    expect(stepState('SNAPSHOT', 'TRAIN', 'RUNNING')).toBe('done');
    expect(stepState('TRAIN', 'TRAIN', 'RUNNING')).toBe('active');
    expect(stepState('EVALUATE', 'TRAIN', 'RUNNING')).toBe('waiting');
  });

  it('marks the step that a run failed in', () => {
    expect(stepState('PREFLIGHT', 'PREFLIGHT', 'FAILED')).toBe('failed');
  });

  it('marks every step done when the run succeeded', () => {
    expect(stepState('PROMOTE', 'PROMOTE', 'SUCCEEDED')).toBe('done');
  });
});

describe('bestEpoch', () => {
  it('is the earliest of the best', () => {
    const { points } = applyEvents(NO_PROGRESS, [epoch(1, 1, 0.2), epoch(2, 2, 0.3), epoch(3, 3, 0.3)]);
    expect(bestEpoch(points)?.epoch).toBe(2);
    expect(bestEpoch([])).toBeNull();
  });
});

describe('axisEnd', () => {
  it('always holds every epoch and never goes past the planned ones', () => {
    for (let count = 0; count <= 300; count += 1) {
      expect(axisEnd(count, 300)).toBeGreaterThanOrEqual(count);
      expect(axisEnd(count, 300)).toBeLessThanOrEqual(300);
    }
    expect(axisEnd(3, null)).toBe(10);
  });
});
