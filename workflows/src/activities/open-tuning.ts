import { startJob } from '@kindred/db/jobs';
import { findModels } from '@kindred/db/models';
import { withTenant } from '@kindred/db/tenants';
import { planTrials as storeTrials } from '@kindred/db/tuning-trials';
import type { TuningId } from '@kindred/domain/ids';
import { jobFolder } from '@kindred/domain/jobs';
import type { TuningState } from '@kindred/domain/tunings';
import { permanentFailure } from '../failures.ts';
import { loadTuning, type TuningRow } from '../load-tuning.ts';
import { planTrials } from '../plan-trials.ts';
import { type JobRef, recordJobChange } from '../record-job.ts';
import { writeSnapshot } from '../write-snapshot.ts';
import type { ActivityDeps } from './create-activities.ts';

/** What a tuning has to do. */
export interface TuningPlan {
  trialCount: number;
  parallelCount: number;
}

/** Begins a tuning: its interactions are fixed, and what each trial tries. */
export async function openTuning(deps: ActivityDeps, input: JobRef<TuningId>): Promise<TuningPlan> {
  const job = await loadTuning(deps.db, input);
  const { trialCount, parallelCount } = job.order;
  if (job.status === 'RUNNING') return { trialCount, parallelCount };
  const settings = await settingsOf(deps, job);
  const snapshot = await writeSnapshot(deps, input.tenantId, (sha256) => `${jobFolder(input)}/snapshots/${sha256}`);
  const { base, points } = planTrials(snapshot, settings, job.order);
  const { key: snapshotKey, userCount, itemCount, interactionCount } = snapshot;
  const state: TuningState = {
    snapshotKey,
    userCount,
    itemCount,
    interactionCount,
    base,
    best: null,
    appliedAt: null,
  };
  const message = `Trying ${trialCount} settings on ${interactionCount.toLocaleString('en')} interactions`;
  await recordJobChange(deps, input, async (tx) => {
    await startJob(tx, input.jobId, state);
    await storeTrials(tx, { tuningId: input.jobId, points });
    const body = { kind: 'PROGRESSED' as const, message, details: {} };
    return { result: undefined, event: { dedupeKey: 'begun', body } };
  });
  return { trialCount, parallelCount };
}

async function settingsOf({ db }: ActivityDeps, { tenantId, modelId }: TuningRow) {
  const ids = modelId === null ? [] : [modelId];
  const [model] = await withTenant(db, tenantId, (tx) => findModels(tx, ids));
  if (model === undefined) throw permanentFailure('JobClosed', 'The model does not exist any more.');
  return model.settings;
}
