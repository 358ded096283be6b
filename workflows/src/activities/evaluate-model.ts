import { findActiveVersions, type ModelVersionRow } from '@kindred/db/model-versions';
import { withTenant } from '@kindred/db/tenants';
import type { ModelVersionId } from '@kindred/domain/ids';
import type { RankingMetrics } from '@kindred/domain/training';
import { decodeVersionManifest } from '@kindred/domain/version-manifest';
import { startComputeThread } from '../compute-thread.ts';
import type { TrainModelInput } from '../contract.ts';
import type { EvaluationThreadInput, MeasuredModel } from '../evaluation-thread.ts';
import { withHeartbeat } from '../heartbeat.ts';
import { recordEvent } from '../record-event.ts';
import type { ModelRef } from '../store-model.ts';
import { beginPhase } from './begin-phase.ts';
import type { ActivityDeps } from './create-activities.ts';
import type { SnapshotRef } from '../write-snapshot.ts';
import type { Baseline } from './fit-instant-model.ts';

/** Something that the model was compared with user by user; `difference` is of NDCG@10, the model's less the rival's. */
export interface Comparison {
  rival: Baseline['name'] | 'ACTIVE_VERSION';
  /** What it is called in a sentence. */
  label: string;
  ndcgAt10: number;
  difference: { mean: number; low: number; high: number };
}

/** How well a model ranks the test interactions, and how well what it must beat does. */
export interface Evaluation {
  metrics: RankingMetrics;
  baselines: Baseline[];
  /** Absent for a model that nothing is decided about. */
  comparisons?: Comparison[];
  /** The version that answered when the comparison was made; null for none. */
  activeVersionId?: ModelVersionId | null;
  /** The share of the catalogue that the measured lists could show at most. */
  reach?: number;
}

const EVALUATION_THREAD = new URL('../evaluation-thread.ts', import.meta.url);

const LABELS: Record<Baseline['name'], string> = {
  POPULARITY: 'recommending the most popular items',
  SPECTRAL: 'the model that needs no training',
};

/**
 * Measures the model of the best epoch on the test interactions, which it has not seen, beside its baselines and the version
 * that answers now.
 */
export async function evaluateModel(
  deps: ActivityDeps,
  input: TrainModelInput & { snapshot: SnapshotRef; model: ModelRef; baselines: Baseline[]; instant?: ModelRef },
): Promise<Evaluation> {
  const { snapshot, model, baselines, instant } = input;
  await beginPhase(deps, input, { phase: 'EVALUATE', message: 'Measuring on interactions that were held out' });
  const [active] = await withTenant(deps.db, input.tenantId, (tx) => findActiveVersions(tx, [input.modelId]));
  const { metrics, comparisons, reach } = await withHeartbeat(async (signal) => {
    const rivals = [
      ...(instant ? [{ name: 'SPECTRAL', artefactPath: await deps.objects.materialize(instant.key) }] : []),
      ...(active ? [{ name: 'ACTIVE_VERSION', artefactPath: await materializeVersion(deps, active) }] : []),
    ];
    const threadInput: EvaluationThreadInput = {
      snapshotPath: await deps.objects.materialize(snapshot.key),
      artefactPath: await deps.objects.materialize(model.key),
      rivals,
    };
    await using thread = startComputeThread<MeasuredModel>(EVALUATION_THREAD, threadInput, signal);
    return await thread.ask();
  });
  for (const { name, metrics: its } of baselines) {
    const body = { kind: 'BASELINE_EVALUATED' as const, name, heldOut: 'TEST' as const, metrics: its };
    await recordEvent(deps, { ...input, dedupeKey: `baseline:${name}`, body });
  }
  const body = { kind: 'MODEL_EVALUATED' as const, heldOut: 'TEST' as const, metrics };
  await recordEvent(deps, { ...input, dedupeKey: 'model', body });
  return {
    metrics,
    baselines,
    comparisons: comparisons.map(({ name, ndcgAt10, difference: { mean, low, high } }) => {
      const rival = name as Comparison['rival'];
      const label = rival === 'ACTIVE_VERSION' ? `version ${active?.number ?? ''}, which answers now` : LABELS[rival];
      return { rival, label, ndcgAt10, difference: { mean, low, high } };
    }),
    activeVersionId: active?.id ?? null,
    reach,
  };
}

async function materializeVersion({ objects }: ActivityDeps, version: ModelVersionRow): Promise<string> {
  const { tenantId, id: versionId, artefactKey } = version;
  const { artefact } = decodeVersionManifest(await objects.get(artefactKey), { tenantId, versionId });
  return objects.materialize(artefact.key);
}
