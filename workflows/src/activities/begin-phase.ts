import { setTrainingPhase } from '@kindred/db/training-runs';
import type { TrainingPhase } from '@kindred/domain/training';
import { type EventDeps, recordEvent, type RunRef } from '../record-event.ts';

/** Every step begins with it: the run's row and its watchers learn which step is under way, once per run. */
export async function beginPhase(
  deps: EventDeps,
  { tenantId, runId }: RunRef,
  { phase, message }: { phase: TrainingPhase; message: string },
): Promise<void> {
  await recordEvent(
    deps,
    { tenantId, runId, dedupeKey: `phase:${phase}`, body: { kind: 'PHASE_STARTED', phase, message } },
    (tx) => setTrainingPhase(tx, { runId, phase }),
  );
}
