import { startComputeThread } from '../compute-thread.ts';
import type { TrainModelInput } from '../contract.ts';
import type { Evaluation, EvaluationThreadInput } from '../evaluation-thread.ts';
import { withHeartbeat } from '../heartbeat.ts';
import { recordEvent } from '../record-event.ts';
import { beginPhase } from './begin-phase.ts';
import type { ActivityDeps } from './create-activities.ts';
import type { SnapshotRef } from './export-snapshot.ts';
import type { TrainingRef } from './train-embeddings.ts';

const EVALUATION_THREAD = new URL('../evaluation-thread.ts', import.meta.url);

/** Measures the model of the best epoch and the popularity baseline on the test interactions, which neither has seen. */
export async function evaluateModel(
  deps: ActivityDeps,
  input: TrainModelInput & { snapshot: SnapshotRef; training: TrainingRef },
): Promise<Evaluation> {
  const { snapshot, training } = input;
  await beginPhase(deps, input, { phase: 'EVALUATE', message: 'Measuring on interactions that were held out' });
  const evaluation = await withHeartbeat(async (signal) => {
    const threadInput: EvaluationThreadInput = {
      snapshotPath: await deps.objects.materialize(snapshot.key),
      checkpointPath: await deps.objects.materialize(training.checkpointKey),
    };
    await using thread = startComputeThread<Evaluation>(EVALUATION_THREAD, threadInput, signal);
    return await thread.ask();
  });
  for (const { name, metrics } of evaluation.baselines) {
    const body = { kind: 'BASELINE_EVALUATED' as const, name, heldOut: 'TEST' as const, metrics };
    await recordEvent(deps, { ...input, dedupeKey: `baseline:${name}`, body });
  }
  const body = { kind: 'MODEL_EVALUATED' as const, heldOut: 'TEST' as const, metrics: evaluation.metrics };
  await recordEvent(deps, { ...input, dedupeKey: 'model', body });
  return evaluation;
}
