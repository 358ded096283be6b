import { setTrainingDevice } from '@kindred/db/training-runs';
import type { ChosenDevice } from '@kindred/domain/training-device';
import type { TrainModelInput } from '../contract.ts';
import { recordEvent } from '../record-event.ts';
import type { ActivityDeps } from './create-activities.ts';

/** Tells the run's row and its watchers what it computes with, and why; `count` numbers the choices of the run. */
export async function noteDevice(
  deps: ActivityDeps,
  input: TrainModelInput & { chosen: ChosenDevice; count: number },
): Promise<void> {
  const { runId, chosen, count } = input;
  const body = { kind: 'LOG' as const, message: `Computing on the ${chosen.device}: ${chosen.reason}` };
  await recordEvent(deps, { ...input, dedupeKey: `device:${count}`, body }, (tx) =>
    setTrainingDevice(tx, { runId, ...chosen }),
  );
}
