import type { TrainingEvent } from '@kindred/domain/training';
import { expect, test } from 'vitest';
import { streamProgress } from './progress-stream.ts';

function eventAt(sequence: number, kind: 'LOG' | 'FINISHED' = 'LOG'): TrainingEvent {
  const body =
    kind === 'LOG'
      ? { kind, message: `line ${sequence}` }
      : { kind, status: 'SUCCEEDED' as const, message: 'The end.' };
  return { runId: 'run', sequence, at: sequence, body };
}

/** A run of which the test decides what is stored and what is announced. */
function fakeRun() {
  const stored: TrainingEvent[] = [];
  const messages: string[] = [];
  let wake = () => {};
  async function* messagesUntil(signal: AbortSignal) {
    signal.addEventListener('abort', () => wake());
    for (;;) {
      while (messages.length > 0) {
        yield messages.shift() ?? '';
      }
      if (signal.aborted) {
        return;
      }
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }
  const subscribe = (signal: AbortSignal) => Object.assign(messagesUntil(signal), { ready: Promise.resolve() });
  return {
    store: (...events: TrainingEvent[]) => void stored.push(...events),
    announce(...events: TrainingEvent[]) {
      messages.push(...events.map((event) => JSON.stringify(event)));
      wake();
    },
    stream(afterSequence: number, recheckMs = 60_000) {
      const readAfter = async (sequence: number) => stored.filter((event) => event.sequence > sequence).slice(0, 2);
      const signal = new AbortController().signal;
      return streamProgress({ readAfter, subscribe, recheckMs, isOver: false, signal }, afterSequence);
    },
  };
}

async function sequences(stream: AsyncIterable<TrainingEvent>): Promise<number[]> {
  const seen: number[] = [];
  for await (const { sequence } of stream) {
    seen.push(sequence);
  }
  return seen;
}

test('stored events come first, from after the sequence asked for, then the live ones up to FINISHED', async () => {
  const run = fakeRun();
  run.store(eventAt(1), eventAt(2), eventAt(3), eventAt(4));
  run.announce(eventAt(3), eventAt(4), eventAt(5), eventAt(6, 'FINISHED'), eventAt(7));
  expect(await sequences(run.stream(1))).toEqual([2, 3, 4, 5, 6]);
});

test('a message that skips events makes the stream read them from the store', async () => {
  const run = fakeRun();
  run.store(eventAt(1));
  const stream = run.stream(0);
  expect((await stream.next()).value).toMatchObject({ sequence: 1 });
  run.store(eventAt(2), eventAt(3), eventAt(4, 'FINISHED'));
  run.announce(eventAt(4, 'FINISHED'));
  expect(await sequences(stream)).toEqual([2, 3, 4]);
});

test('an event whose message was lost is found when the store is looked into again', async () => {
  const run = fakeRun();
  const stream = run.stream(0, 20);
  const first = stream.next();
  run.store(eventAt(1, 'FINISHED'));
  expect((await first).value).toMatchObject({ sequence: 1 });
});

test('a reader that leaves while nothing happens is let go at once', async () => {
  const stream = fakeRun().stream(0);
  const waiting = stream.next();
  await stream.return?.();
  expect(await waiting).toEqual({ done: true, value: undefined });
});
