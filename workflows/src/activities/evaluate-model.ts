import type { RankingMetrics } from '@kindred/domain/training';
import { startComputeThread } from '../compute-thread.ts';
import type { TrainModelInput } from '../contract.ts';
import type { EvaluationThreadInput } from '../evaluation-thread.ts';
import { withHeartbeat } from '../heartbeat.ts';
import { recordEvent } from '../record-event.ts';
import type { ModelRef } from '../store-model.ts';
import { beginPhase } from './begin-phase.ts';
import type { ActivityDeps } from './create-activities.ts';
import type { SnapshotRef } from './export-snapshot.ts';
import type { Baseline } from './fit-instant-model.ts';

/** How well a model ranks the test interactions, and how well what it must beat does. */
export interface Evaluation {
  metrics: RankingMetrics;
  baselines: Baseline[];
}

const EVALUATION_THREAD = new URL('../evaluation-thread.ts', import.meta.url);

/** Measures the model of the best epoch on the test interactions, which it has not seen, beside its baselines. */
export async function evaluateModel(
  deps: ActivityDeps,
  input: TrainModelInput & { snapshot: SnapshotRef; model: ModelRef; baselines: Baseline[] },
): Promise<Evaluation> {
  const { snapshot, model, baselines } = input;
  await beginPhase(deps, input, { phase: 'EVALUATE', message: 'Measuring on interactions that were held out' });
  const metrics = await withHeartbeat(async (signal) => {
    const threadInput: EvaluationThreadInput = {
      snapshotPath: await deps.objects.materialize(snapshot.key),
      artefactPath: await deps.objects.materialize(model.key),
    };
    await using thread = startComputeThread<RankingMetrics>(EVALUATION_THREAD, threadInput, signal);
    return await thread.ask();
  });
  for (const { name, metrics: its } of baselines) {
    const body = { kind: 'BASELINE_EVALUATED' as const, name, heldOut: 'TEST' as const, metrics: its };
    await recordEvent(deps, { ...input, dedupeKey: `baseline:${name}`, body });
  }
  const body = { kind: 'MODEL_EVALUATED' as const, heldOut: 'TEST' as const, metrics };
  await recordEvent(deps, { ...input, dedupeKey: 'model', body });
  return { metrics, baselines };
}
