'use client';

import { useEffect, useState } from 'react';
import { useClient } from 'urql';
import { followTraining, retryDelayMs } from './follow-training.ts';
import { trainingEventSource } from './training-event-source.tsx';
import { NO_PROGRESS, type TrainingProgress } from './training-progress.ts';

interface Followed {
  runId: string;
  progress: TrainingProgress;
  refusal: string | null;
}

/** The live progress of a run, from its first event on; `refusal` says why it cannot be followed. */
export function useTrainingProgress(runId: string): { progress: TrainingProgress; refusal: string | null } {
  const client = useClient();
  const [state, setState] = useState<Followed>({ runId, progress: NO_PROGRESS, refusal: null });

  useEffect(() => {
    const controller = new AbortController();
    void followTraining({
      source: trainingEventSource(client, runId),
      signal: controller.signal,
      onProgress: (progress) => setState({ runId, progress, refusal: null }),
      onRefused: (refusal) =>
        setState((before) => ({ runId, progress: before.runId === runId ? before.progress : NO_PROGRESS, refusal })),
      wait: waitForRetry,
    });
    return () => controller.abort();
  }, [client, runId]);

  return state.runId === runId ? state : { progress: NO_PROGRESS, refusal: null };
}

function waitForRetry(attempt: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const stop = new AbortController();
    const done = (): void => {
      clearTimeout(timer);
      stop.abort();
      resolve();
    };
    const timer = setTimeout(done, retryDelayMs(attempt, Math.random()));
    window.addEventListener('online', done, { signal: stop.signal });
    signal.addEventListener('abort', done, { signal: stop.signal });
  });
}
