'use client';

import { useEffect, useState } from 'react';
import { useClient } from 'urql';
import { followTraining, retryDelayMs } from './follow-training.ts';
import { trainingEventSource } from './training-event-source.tsx';
import { NO_PROGRESS, type TrainingProgress } from './training-progress.ts';

/** The live progress of a run, from its first event on; `refusal` says why it cannot be followed. */
export function useTrainingProgress(runId: string): { progress: TrainingProgress; refusal: string | null } {
  const client = useClient();
  const [state, setState] = useState({ progress: NO_PROGRESS, refusal: null as string | null });

  useEffect(() => {
    const controller = new AbortController();
    setState({ progress: NO_PROGRESS, refusal: null });
    void followTraining({
      source: trainingEventSource(client, runId),
      signal: controller.signal,
      onProgress: (progress) => setState({ progress, refusal: null }),
      onRefused: (refusal) => setState(({ progress }) => ({ progress, refusal })),
      wait: waitForRetry,
    });
    return () => controller.abort();
  }, [client, runId]);

  return state;
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
