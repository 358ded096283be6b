import { applyEvents, NO_PROGRESS, type ProgressEvent, type TrainingProgress } from './training-progress.ts';

/** Why a stream of events stopped. */
export type StreamEnd = { kind: 'ended' } | { kind: 'lost' } | { kind: 'refused'; message: string };

/** Where a run's events come from. Both go on after `afterSequence`. */
export interface TrainingEventSource {
  /** A page of the events that are stored already, in order; empty when there are no more. Rejects when they cannot be had. */
  load: (afterSequence: number) => Promise<readonly ProgressEvent[]>;
  /** Live events until the stream stops or `signal` aborts. */
  stream: (afterSequence: number, onEvent: (event: ProgressEvent) => void, signal: AbortSignal) => Promise<StreamEnd>;
}

export interface FollowOptions {
  source: TrainingEventSource;
  signal: AbortSignal;
  /** Called with every new state. */
  onProgress: (progress: TrainingProgress) => void;
  /** Called when the events are refused for good. */
  onRefused: (message: string) => void;
  /** Resolves when the next attempt is due, early if the network comes back; `attempt` counts from 0. */
  wait: (attempt: number, signal: AbortSignal) => Promise<void>;
}

/**
 * Follows a run to its last event over any number of lost connections: stored events first, then live ones,
 * each time from after the last one applied. Resolves when the run has ended, is refused or `signal` aborts.
 */
export async function followTraining({ source, signal, onProgress, onRefused, wait }: FollowOptions): Promise<void> {
  let progress = NO_PROGRESS;
  let attempt = 0;
  const apply = (events: readonly ProgressEvent[]): void => {
    const next = applyEvents(progress, events);
    if (next === progress || signal.aborted) return;
    progress = next;
    attempt = 0;
    onProgress(progress);
  };
  const catchUp = async (): Promise<void> => {
    for (;;) {
      const before = progress.lastSequence;
      apply(await source.load(before));
      if (signal.aborted || progress.lastSequence === before) return;
    }
  };

  while (!signal.aborted) {
    // The live stream starts at the same point, so a page that cannot be loaded only costs time.
    await catchUp().catch(() => undefined);
    if (signal.aborted || progress.finished) return;
    const end = await source.stream(progress.lastSequence, (event) => apply([event]), signal);
    if (signal.aborted || progress.finished) return;
    if (end.kind === 'refused') return onRefused(end.message);
    await wait(attempt, signal);
    attempt += 1;
  }
}

/** How long to wait before attempt number `attempt`, from 0: doubling from half a second to ten, a quarter of it random. */
export function retryDelayMs(attempt: number, random: number): number {
  const full = Math.min(10_000, 500 * 2 ** Math.min(attempt, 10));
  return Math.round(full * (0.75 + 0.25 * random));
}
