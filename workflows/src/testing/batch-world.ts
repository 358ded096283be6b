import { createJob, findJobs, listJobEvents } from '@kindred/db/jobs';
import { findActiveVersions } from '@kindred/db/model-versions';
import { withTenant } from '@kindred/db/tenants';
import { listUsers } from '@kindred/db/users';
import {
  type BatchRecommendationLine,
  type BatchRecommendationOrder,
  batchFileKey,
} from '@kindred/domain/batch-recommendations';
import { type ModelId, newId, type TenantId } from '@kindred/domain/ids';
import { seedCheckerboard } from '@kindred/testing/checkerboard';
import { createTestTenant } from '@kindred/testing/test-tenant';
import { BATCH_RECOMMEND, type BatchRecommendInput, jobWorkflowId, TASK_QUEUES } from '../contract.ts';
import type { BatchRow } from '../load-batch.ts';
import { queueRun, startRun, type TrainingWorld } from './training-world.ts';

const HOUR_MS = 3_600_000;

/** A tenant with a checkerboard and a model that was trained on it. */
export async function createTrainedTenant(world: TrainingWorld) {
  const { tenantId, accountId } = await createTestTenant(world.deps.db);
  await seedCheckerboard(world.deps.db, tenantId, { userCount: 40, itemCount: 40 });
  const { modelId } = await trainOn(world, tenantId);
  const users = await withTenant(world.deps.db, tenantId, (tx) => listUsers(tx, { first: 100 }));
  return { tenantId, accountId, modelId, users };
}

async function trainOn(world: TrainingWorld, tenantId: TenantId) {
  const input = await queueRun(world, tenantId);
  await (await startRun(world, input)).result();
  return input;
}

/** A QUEUED batch of the model's active version. */
export async function queueBatch(
  { deps }: TrainingWorld,
  { tenantId, modelId }: { tenantId: TenantId; modelId: ModelId },
  wanted: Partial<BatchRecommendationOrder> = {},
): Promise<BatchRecommendInput> {
  const jobId = newId('BatchRecommendation');
  await withTenant(deps.db, tenantId, async (tx) => {
    const [version] = await findActiveVersions(tx, [modelId]);
    if (version === undefined) throw new Error(`The model ${modelId} has no active version.`);
    const order: BatchRecommendationOrder = {
      versionId: version.id,
      count: 5,
      userIds: null,
      keptForMs: HOUR_MS,
      ...wanted,
    };
    await createJob(tx, { id: jobId, kind: 'BATCH_RECOMMENDATION', modelId, order });
  });
  return { tenantId, jobId };
}

export function startBatch({ client }: TrainingWorld, input: BatchRecommendInput) {
  return client.workflow.start(BATCH_RECOMMEND, {
    taskQueue: TASK_QUEUES.workflows,
    workflowId: jobWorkflowId(input),
    args: [input],
  });
}

/** The batch's row and events. */
export async function readBatch({ deps }: TrainingWorld, { tenantId, jobId }: BatchRecommendInput) {
  return withTenant(deps.db, tenantId, async (tx) => {
    const [row] = (await findJobs(tx, 'BATCH_RECOMMENDATION', [jobId])) as BatchRow[];
    const events = await listJobEvents(tx, { jobId, afterSequence: 0, limit: 10_000 });
    return { row, events };
  });
}

/** The lines of the batch's file. */
export async function readBatchFile(
  { deps }: TrainingWorld,
  input: BatchRecommendInput,
): Promise<BatchRecommendationLine[]> {
  const text = Buffer.from(await deps.objects.get(batchFileKey(input))).toString();
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as BatchRecommendationLine);
}
