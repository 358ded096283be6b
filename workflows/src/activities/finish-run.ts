import { endCanaryOfRun } from '@kindred/db/canaries';
import { deleteUnfinishedVersions } from '@kindred/db/model-versions';
import { withTenant } from '@kindred/db/tenants';
import { finishTrainingRun } from '@kindred/db/training-runs';
import { versionFolder } from '@kindred/domain/version-manifest';
import type { TrainModelInput } from '../contract.ts';
import { recordEvent } from '../record-event.ts';
import { runFolder } from '../run-files.ts';
import { tellServing } from '../tell-serving.ts';
import type { ActivityDeps } from './create-activities.ts';

/** How a run ended: once, whichever ending comes first. */
export interface RunEnding {
  status: 'SUCCEEDED' | 'FAILED' | 'CANCELLED';
  /** One sentence for the tenant's people; a failed run keeps it as its reason. */
  message: string;
}

/** Ends the run, tells its watchers, and deletes what only the run needed, and what it left half-made. */
export async function finishRun(deps: ActivityDeps, input: TrainModelInput & RunEnding): Promise<void> {
  const { tenantId, runId, status, message } = input;
  const failure = status === 'FAILED' ? message : null;
  const body = { kind: 'FINISHED' as const, status, message };
  await recordEvent(deps, { ...input, dedupeKey: 'finished', body }, async (tx) => {
    await finishTrainingRun(tx, { runId, status, failure });
    await endCanaryOfRun(tx, runId, { status: 'ABORTED', reason: message });
  });
  await tellServing(deps, tenantId);
  await deps.objects.delete(runFolder(input));
  const halfMade = await withTenant(deps.db, tenantId, (tx) => deleteUnfinishedVersions(tx, runId));
  for (const { id } of halfMade) {
    await deps.objects.delete(versionFolder(tenantId, id));
  }
}
