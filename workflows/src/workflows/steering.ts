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

/** What people want of the run now; `interrupt` ends the step under way so that it is taken up anew. */
interface Wishes {
  isPaused: boolean;
  isStopping: boolean;
  interrupt: () => void;
}

/** Listens to the run's signals from now on; `note` is told of each change that took effect. */
export function openSteering(note: (change: SteeringChange) => Promise<void>): Steering {
  const wishes = listen();

  async function waitWhilePaused(): Promise<void> {
    while (wishes.isPaused) {
      await note('PAUSED');
      await condition(() => !wishes.isPaused);
      await note('RESUMED');
    }
  }

  async function runLongStep<T>(step: (stopping: boolean) => Promise<T>): Promise<T> {
    const run = CancellationScope.current();
    let stopIsDue = true;
    while (true) {
      await waitWhilePaused();
      const { isStopping } = wishes;
      if (isStopping && stopIsDue) {
        stopIsDue = false;
        await note('STOPPING');
      }
      let wasInterrupted = false;
      const attempt = new CancellationScope();
      wishes.interrupt = () => {
        wasInterrupted = true;
        attempt.cancel();
      };
      try {
        return await attempt.run(() => step(isStopping));
      } catch (error) {
        if (!wasInterrupted || !isCancellation(error) || run.consideredCancelled) {
          throw error;
        }
      } finally {
        wishes.interrupt = () => {};
      }
    }
  }

  const state = () => ({ isPaused: wishes.isPaused, isStopping: wishes.isStopping });
  return { state, waitWhilePaused, runLongStep };
}

function listen(): Wishes {
  const wishes: Wishes = { isPaused: false, isStopping: false, interrupt: () => {} };
  const seen = new Set<string>();
  const on = (signal: SteeringSignal, change: () => void) =>
    setHandler(defineSignal<[SteeringRequest]>(STEERING_SIGNALS[signal]), ({ requestId }) => {
      if (!seen.has(requestId)) {
        seen.add(requestId);
        change();
      }
    });
  on('pause', () => {
    wishes.isPaused = true;
    wishes.interrupt();
  });
  on('resume', () => {
    wishes.isPaused = false;
  });
  on('stop', () => {
    wishes.isPaused = false;
    if (!wishes.isStopping) {
      wishes.isStopping = true;
      wishes.interrupt();
    }
  });
  return wishes;
}
