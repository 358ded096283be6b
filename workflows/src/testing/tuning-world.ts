import { createJob, findJobs, listJobEvents } from '@kindred/db/jobs';
import { createModel, findModels } from '@kindred/db/models';
import { withTenant } from '@kindred/db/tenants';
import { listTrials } from '@kindred/db/tuning-trials';
import { newId, type TenantId } from '@kindred/domain/ids';
import type { HyperparameterSettings } from '@kindred/domain/training';
import type { TuningOrder } from '@kindred/domain/tunings';
import { jobWorkflowId, TASK_QUEUES, TUNE_MODEL, type TuneModelInput } from '../contract.ts';
import type { TuningRow } from '../load-tuning.ts';
import type { TrainingWorld } from './training-world.ts';

/** A new model with a QUEUED tuning. */
export async function queueTuning(
  { deps }: TrainingWorld,
  tenantId: TenantId,
  { order, settings }: { order: TuningOrder; settings: HyperparameterSettings },
): Promise<TuneModelInput> {
  const [modelId, jobId] = [newId('Model'), newId('Tuning')];
  await withTenant(deps.db, tenantId, async (tx) => {
    await createModel(tx, { id: modelId, name: modelId, algorithm: 'LIGHTGCN', settings });
    await createJob(tx, { id: jobId, kind: 'TUNING', modelId, order });
  });
  return { tenantId, jobId };
}

export function startTuning({ client }: TrainingWorld, input: TuneModelInput) {
  return client.workflow.start(TUNE_MODEL, {
    taskQueue: TASK_QUEUES.workflows,
    workflowId: jobWorkflowId(input),
    args: [input],
  });
}

/** The tuning's row, its model, trials and events. */
export async function readTuning({ deps }: TrainingWorld, { tenantId, jobId }: TuneModelInput) {
  return withTenant(deps.db, tenantId, async (tx) => {
    const [row] = (await findJobs(tx, 'TUNING', [jobId])) as TuningRow[];
    const [model] = row?.modelId ? await findModels(tx, [row.modelId]) : [];
    const trials = await listTrials(tx, { tuningId: jobId, first: 100, afterNumber: -1 });
    const events = await listJobEvents(tx, { jobId, afterSequence: 0, limit: 10_000 });
    return { row, model, trials, events };
  });
}
