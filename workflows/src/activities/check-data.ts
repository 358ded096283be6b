import { countCatalog } from '@kindred/db/catalog-counts';
import { withTenant } from '@kindred/db/tenants';
import { startTrainingRun } from '@kindred/db/training-runs';
import { Context } from '@temporalio/activity';
import type { TrainModelInput } from '../contract.ts';
import { requireEnoughData } from '../enough-data.ts';
import { requireOpen } from '../open-run.ts';
import { beginPhase } from './begin-phase.ts';
import type { ActivityDeps } from './create-activities.ts';

/** Starts the run, and ends it early where there is too little to learn from. */
export async function checkData(deps: ActivityDeps, input: TrainModelInput): Promise<void> {
  const { tenantId, runId } = input;
  const executionId = Context.current().info.workflowExecution?.runId;
  requireOpen(await withTenant(deps.db, tenantId, (tx) => startTrainingRun(tx, runId, executionId)));
  await beginPhase(deps, input, { phase: 'PREFLIGHT', message: 'Checking that there is enough data' });
  requireEnoughData(await withTenant(deps.db, tenantId, countCatalog));
}
