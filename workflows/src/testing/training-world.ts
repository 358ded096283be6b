import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createModel } from '@kindred/db/models';
import { withTenant } from '@kindred/db/tenants';
import { listTrainingEvents } from '@kindred/db/training-events';
import { createTrainingRun, findTrainingRuns } from '@kindred/db/training-runs';
import { newId, type TenantId } from '@kindred/domain/ids';
import type { HyperparameterSettings } from '@kindred/domain/training';
import { connectEventBus } from '@kindred/service/event-bus';
import { createLogger } from '@kindred/service/logger';
import { openObjectStore } from '@kindred/service/object-store';
import type { TargetRules } from '@kindred/service/post-publicly';
import { connectRedis } from '@kindred/service/redis';
import { connectUserHistories, type UserHistories } from '@kindred/service/user-histories';
import { testInfrastructure } from '@kindred/testing/infrastructure';
import { uniqueName } from '@kindred/testing/temporal-names';
import { createTestDatabase } from '@kindred/testing/test-database';
import { Client, Connection } from '@temporalio/client';
import type { ActivityDeps } from '../activities/create-activities.ts';
import { registerSearchAttributes } from '../register-search-attributes.ts';
import { TASK_QUEUES, TRAIN_MODEL, type TrainModelInput, trainModelWorkflowId } from '../contract.ts';

/** Small enough for a training of a second, large enough to learn a checkerboard. */
export const SMALL = {
  dimension: 16,
  layers: 2,
  learningRate: 0.01,
  regularization: 1e-4,
  batchSize: 64,
  epochs: 6,
  patience: 6,
  seed: 7,
} as const satisfies HyperparameterSettings;

export const API_KEY_PEPPER = 'the API key pepper of the tests, 32 chars';

/** The outside world of these tests is this machine. */
const THIS_MACHINE: TargetRules = {
  protocols: ['http:'],
  isAllowed: (address) => address === '127.0.0.1',
  resolve: async () => ['127.0.0.1'],
};

/** A database, an object store and a Temporal namespace of one test file. */
export type TrainingWorld = Awaited<ReturnType<typeof openTrainingWorld>>;

/** `parent` is where the folder of the object store is made, if not among the temporary files. */
export async function openTrainingWorld({ parent = tmpdir() }: { parent?: string | undefined } = {}) {
  const { redisUrl, temporalAddress } = testInfrastructure();
  const database = await createTestDatabase();
  const folder = await mkdtemp(join(parent, 'kindred-objects-'));
  const events = connectEventBus(redisUrl);
  const redis = connectRedis(redisUrl);
  const histories = connectUserHistories(redisUrl);
  const connection = await Connection.connect({ address: temporalAddress });
  const namespace = uniqueName('training');
  await connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: { seconds: 86_400 as never },
  });
  await registerSearchAttributes(connection, namespace);
  const objectStoreUrl = pathToFileURL(folder).href;
  const deps: ActivityDeps & { histories: UserHistories } = {
    db: database.db,
    events,
    histories,
    objects: openObjectStore({ url: objectStoreUrl }),
    redis,
    logger: createLogger('test', 'silent'),
  };
  return {
    deps,
    webhooks: { pepper: API_KEY_PEPPER, targetRules: THIS_MACHINE },
    database,
    namespace,
    client: new Client({ connection, namespace }),
    /** The folder of the object store. */
    folder,
    addresses: { redisUrl, temporalAddress, objectStoreUrl, databaseUrl: database.appUrl },
    async [Symbol.asyncDispose]() {
      await connection.close();
      await events.close();
      redis.disconnect();
      histories.close();
      await database[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A new model with a QUEUED run. */
export async function queueRun(
  { deps }: TrainingWorld,
  tenantId: TenantId,
  settings: HyperparameterSettings = SMALL,
): Promise<TrainModelInput> {
  const [modelId, runId] = [newId('Model'), newId('TrainingRun')];
  await withTenant(deps.db, tenantId, async (tx) => {
    await createModel(tx, { id: modelId, name: modelId, algorithm: 'LIGHTGCN', settings });
    await createTrainingRun(tx, { id: runId, modelId, settings });
  });
  return { tenantId, runId, modelId };
}

export function startRun({ client }: TrainingWorld, input: TrainModelInput) {
  return client.workflow.start(TRAIN_MODEL, {
    taskQueue: TASK_QUEUES.workflows,
    workflowId: trainModelWorkflowId(input.tenantId, input.modelId),
    args: [input],
    memo: { runId: input.runId },
  });
}

/** The run's row and all of its events. */
export async function readRun({ deps }: TrainingWorld, { tenantId, runId }: TrainModelInput) {
  return withTenant(deps.db, tenantId, async (tx) => {
    const [run] = await findTrainingRuns(tx, [runId]);
    const events = await listTrainingEvents(tx, { runId, afterSequence: 0, limit: 100_000 });
    return { run, events };
  });
}
