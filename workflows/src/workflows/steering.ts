import { CancellationScope, condition, defineSignal, isCancellation, setHandler } from '@temporalio/workflow';
import type { SteeringChange } from '@kindred/domain/training';
import { STEERING_SIGNALS, type SteeringRequest, type SteeringSignal } from '../contract.ts';

/** How people steer a training that is under way. */
export interface Steering {
  state(): { isPaused: boolean; isStopping: boolean };
  /** Waits while the run is paused. */
  waitWhilePaused(): Promise<void>;
  /**
   * Runs a step that may take long and can take up its own work again. A pause ends it and starts it anew once the run goes
   * on; a stop ends it and starts it anew with `isStopping`.
   */
  runLongStep<T>(step: (isStopping: boolean) => Promise<T>): Promise<T>;
}

/** Listens to the run's signals from now on; `note` is told of each change that took effect. */
export function openSteering(note: (change: SteeringChange) => Promise<void>): Steering {
  let isPaused = false;
  let isStopping = false;
  let interrupt = (): void => {};
  const seen = new Set<string>();
  const on = (signal: SteeringSignal, change: () => void) =>
    setHandler(defineSignal<[SteeringRequest]>(STEERING_SIGNALS[signal]), ({ requestId }) => {
      if (!seen.has(requestId)) {
        seen.add(requestId);
        change();
      }
    });
  on('pause', () => {
    isPaused = true;
    interrupt();
  });
  on('resume', () => {
    isPaused = false;
  });
  on('stop', () => {
    isPaused = false;
    if (!isStopping) {
      isStopping = true;
      interrupt();
    }
  });

  async function waitWhilePaused(): Promise<void> {
    while (isPaused) {
      await note('PAUSED');
      await condition(() => !isPaused);
      await note('RESUMED');
    }
  }

  async function runLongStep<T>(step: (stopping: boolean) => Promise<T>): Promise<T> {
    const run = CancellationScope.current();
    let stopIsDue = true;
    while (true) {
      await waitWhilePaused();
      const stopping = isStopping;
      if (stopping && stopIsDue) {
        stopIsDue = false;
        await note('STOPPING');
      }
      let wasInterrupted = false;
      const attempt = new CancellationScope();
      interrupt = () => {
        wasInterrupted = true;
        attempt.cancel();
      };
      try {
        return await attempt.run(() => step(stopping));
      } catch (error) {
        if (!wasInterrupted || !isCancellation(error) || run.consideredCancelled) {
          throw error;
        }
      } finally {
        interrupt = () => {};
      }
    }
  }

  return { state: () => ({ isPaused, isStopping }), waitWhilePaused, runLongStep };
}
