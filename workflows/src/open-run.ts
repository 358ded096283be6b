import type { TrainingRunRow } from '@kindred/db/training-runs';
import { permanentFailure } from './failures.ts';

/** @throws RunClosed when the run has ended already: what it would still do must not change anything. */
export function requireOpen(run: TrainingRunRow): TrainingRunRow {
  if (run.status !== 'RUNNING') {
    throw permanentFailure('RunClosed', `The run ${run.id} had ended as ${run.status} before its work was done.`);
  }
  return run;
}
