import { findServingVersion } from '@kindred/db/model-versions';
import { withTenant } from '@kindred/db/tenants';
import type { RankingMetrics } from '@kindred/domain/training';
import { startComputeThread } from '../compute-thread.ts';
import type { TrainModelInput } from '../contract.ts';
import { translateCoreError } from '../core-failures.ts';
import { withHeartbeat } from '../heartbeat.ts';
import type { InstantModel, InstantThreadInput } from '../instant-thread.ts';
import { loadRun } from '../load-run.ts';
import { recordEvent } from '../record-event.ts';
import { type ModelRef, storeModel } from '../store-model.ts';
import { beginPhase } from './begin-phase.ts';
import type { ActivityDeps } from './create-activities.ts';
import type { SnapshotRef } from '../write-snapshot.ts';

/** What stands beside a model: measured on the same test interactions. */
export interface Baseline {
  name: 'POPULARITY' | 'SPECTRAL';
  metrics: RankingMetrics;
}

/** The model that needs no training, and whether it is the first that the tenant could be answered with. */
export interface InstantModelRef {
  model: ModelRef;
  metrics: RankingMetrics;
  popularity: Baseline;
  nothingAnswers: boolean;
}

const INSTANT_THREAD = new URL('../instant-thread.ts', import.meta.url);

/**
 * Fits the spectral model, in seconds, and measures it beside popularity. Both levels on the validation interactions are
 * told before the training begins: its curve is seen beside them.
 */
export async function fitInstantModel(
  deps: ActivityDeps,
  input: TrainModelInput & { snapshot: SnapshotRef },
): Promise<InstantModelRef> {
  await loadRun(deps.db, input);
  await beginPhase(deps, input, { phase: 'INSTANT_MODEL', message: 'Fitting the model that needs no training' });
  const { artefact, spectral, popularity } = await withHeartbeat(async (signal) => {
    const threadInput: InstantThreadInput = { snapshotPath: await deps.objects.materialize(input.snapshot.key) };
    await using thread = startComputeThread<InstantModel>(INSTANT_THREAD, threadInput, signal);
    return await thread.ask().catch((error: unknown) => Promise.reject(translateCoreError(error)));
  });
  for (const [name, { validation }] of Object.entries({ POPULARITY: popularity, SPECTRAL: spectral })) {
    const body = { kind: 'BASELINE_EVALUATED' as const, name, heldOut: 'VALIDATION' as const, metrics: validation };
    await recordEvent(deps, { ...input, dedupeKey: `validation-baseline:${name}`, body });
  }
  const model = await storeModel(deps.objects, input, { algorithm: 'SPECTRAL', artefact });
  const serving = await withTenant(deps.db, input.tenantId, findServingVersion);
  return {
    model,
    metrics: spectral.test,
    popularity: { name: 'POPULARITY', metrics: popularity.test },
    nothingAnswers: serving === null,
  };
}
