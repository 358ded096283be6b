import { describe, expect, it } from 'vitest';
import { followTraining, retryDelayMs, type StreamEnd, type TrainingEventSource } from './follow-training.ts';
import { NO_PROGRESS, type ProgressEvent, type TrainingProgress } from './training-progress.ts';

function storedRun(length: number): ProgressEvent[] {
  return Array.from({ length }, (_, at) => ({
    sequence: at + 1,
    at: '2026-11-23T17:00:00.000Z',
    kind: at === length - 1 ? 'FINISHED' : 'EPOCH_FINISHED',
    message: '',
    phase: null,
    epoch:
      at === length - 1
        ? null
        : { epoch: at + 1, epochs: length, loss: 1, ndcgAt10: 0.1, recallAt10: 0.1, samplesPerSecond: 1, etaMs: 1 },
    evaluation: null,
  }));
}

async function follow(
  source: TrainingEventSource,
): Promise<{ progress: TrainingProgress; waits: number[]; refusal: string | null }> {
  let progress = NO_PROGRESS;
  let refusal: string | null = null;
  const waits: number[] = [];
  await followTraining({
    source,
    signal: new AbortController().signal,
    onProgress: (next) => (progress = next),
    onRefused: (message) => (refusal = message),
    wait: async (attempt) => void waits.push(attempt),
  });
  return { progress, waits, refusal };
}

describe('followTraining', () => {
  it('shows a run that has ended from its stored events, without a live stream', async () => {
    const run = storedRun(7);
    const { progress } = await follow({
      load: async (after) => run.filter(({ sequence }) => sequence > after).slice(0, 3),
      stream: () => Promise.reject(new Error('the stream was opened')),
    });
    expect(progress.points).toHaveLength(6);
    expect(progress.finished).toBe(true);
  });

  it('asks for what comes after the last event seen when the stream was lost', async () => {
    const run = storedRun(9);
    const asked: number[] = [];
    const { progress, waits } = await follow({
      load: async () => [],
      stream: async (after, onEvent): Promise<StreamEnd> => {
        asked.push(after);
        for (const event of run.slice(after, after + 4)) onEvent(event);
        return { kind: 'lost' };
      },
    });
    expect(asked).toEqual([0, 4, 8]);
    expect(waits).toEqual([0, 0]);
    expect(progress.points.map((point) => point.epoch)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('waits longer while nothing comes', async () => {
    const run = storedRun(2);
    let tries = 0;
    const { waits } = await follow({
      load: () => Promise.reject(new Error('offline')),
      stream: async (_after, onEvent): Promise<StreamEnd> => {
        tries += 1;
        if (tries === 4) run.forEach(onEvent);
        return { kind: 'lost' };
      },
    });
    expect(waits).toEqual([0, 1, 2]);
  });

  it('stops and says why when the stream is refused', async () => {
    const { refusal, waits } = await follow({
      load: async () => [],
      stream: async (): Promise<StreamEnd> => ({ kind: 'refused', message: 'No such run.' }),
    });
    expect(refusal).toBe('No such run.');
    expect(waits).toEqual([]);
  });
});

describe('retryDelayMs', () => {
  it('grows from half a second to ten and stays there', () => {
    expect(retryDelayMs(0, 1)).toBe(500);
    expect(retryDelayMs(3, 1)).toBe(4000);
    expect(retryDelayMs(50, 1)).toBe(10_000);
    expect(retryDelayMs(50, 0)).toBe(7500);
  });
});
