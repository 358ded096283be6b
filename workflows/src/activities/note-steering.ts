import { steerTrainingRun } from '@kindred/db/training-runs';
import type { SteeringChange } from '@kindred/domain/training';
import type { TrainModelInput } from '../contract.ts';
import { recordEvent } from '../record-event.ts';
import type { ActivityDeps } from './create-activities.ts';

const MESSAGES: Record<SteeringChange, string> = {
  PAUSED: 'Paused: nothing is computed until somebody lets the run go on',
  RESUMED: 'Going on',
  STOPPING: 'Stopping: the best epoch so far is kept',
};

/** Tells the run's row and its watchers what became of the run by a person's wish; `count` numbers the changes of the run. */
export async function noteSteering(
  deps: ActivityDeps,
  input: TrainModelInput & { change: SteeringChange; count: number },
): Promise<void> {
  const { runId, change, count } = input;
  const body = { kind: change, message: MESSAGES[change] };
  await recordEvent(deps, { ...input, dedupeKey: `steering:${count}`, body }, (tx) =>
    steerTrainingRun(tx, { runId, change }),
  );
}
