import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Db } from '@kindred/db/client';
import { withTenant } from '@kindred/db/tenants';
import { appendTrainingEvent } from '@kindred/db/training-events';
import { decodeGlobalId, type TenantId } from '@kindred/domain/ids';
import { type TrainingEventBody, trainingTopic } from '@kindred/domain/training';
import { connectEventBus, type EventBus } from '@kindred/service/event-bus';
import { createLogger } from '@kindred/service/logger';
import { type ObjectStore, openObjectStore } from '@kindred/service/object-store';
import { testInfrastructure } from '@kindred/testing/infrastructure';
import { createSubgraphClient, type SubgraphClient, TEST_SERVER_ENV } from '@kindred/testing/subgraph-client';
import { uniqueName } from '@kindred/testing/temporal-names';
import { createTestDatabase } from '@kindred/testing/test-database';
import { BATCH_RECOMMEND, TUNE_MODEL } from '@kindred/workflows/contract';
import { Client, Connection } from '@temporalio/client';
import { connectJobs } from './connect-jobs.ts';
import { startModel } from './start-model.ts';
import { connectTrainings } from './trainings.ts';

export interface TestModel extends SubgraphClient, AsyncDisposable {
  readonly db: Db;
  /** Of the database, as its owner. */
  readonly ownerUrl: string;
  /** Where it answers. */
  readonly url: string;
  readonly objects: ObjectStore;
  readonly events: EventBus;
  readonly temporal: Client;
  /** Stores an event as a worker does, and publishes it unless the message is to be lost. */
  tell(tenantId: TenantId, runId: string, event: { body: TrainingEventBody; published?: boolean }): Promise<void>;
}

/** The model subgraph on a database and a Temporal namespace of its own, without workers, asked as the gateway asks it. */
export async function createTestModel(temporalAddress = testInfrastructure().temporalAddress): Promise<TestModel> {
  const database = await createTestDatabase();
  const { db } = database;
  const namespace = uniqueName('model');
  const connection = await Connection.connect({ address: testInfrastructure().temporalAddress });
  await connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: { seconds: 86_400 as never },
  });
  const events = connectEventBus(testInfrastructure().redisUrl);
  const trainings = connectTrainings({ address: temporalAddress, namespace, uiUrl: 'http://operators.test' });
  const temporal = { address: temporalAddress, namespace };
  const tuningWorkflows = connectJobs(temporal, TUNE_MODEL);
  const batchWorkflows = connectJobs(temporal, BATCH_RECOMMEND);
  const folder = await mkdtempDisposable(join(tmpdir(), 'kindred-model-'));
  const objects = openObjectStore({ url: pathToFileURL(folder.path).href });
  const logger = createLogger('model', 'silent');
  const services = { db, events, trainings, tuningWorkflows, batchWorkflows, objects };
  const server = await startModel({ ...services, env: TEST_SERVER_ENV, logger });
  return {
    ...createSubgraphClient({ name: 'model', url: server.url }),
    db,
    ownerUrl: database.ownerUrl,
    url: server.url,
    objects,
    events,
    temporal: new Client({ connection, namespace }),
    async tell(tenantId, globalRunId, { body, published = true }) {
      const runId = decodeGlobalId('TrainingRun', globalRunId);
      const draft = { runId, dedupeKey: uniqueName('event'), at: Date.now(), body };
      const event = await withTenant(db, tenantId, (tx) => appendTrainingEvent(tx, draft));
      if (published) await events.publish(trainingTopic(tenantId, runId), JSON.stringify(event));
    },
    [Symbol.asyncDispose]: async () => {
      await server.drain();
      const workflows = [trainings, tuningWorkflows, batchWorkflows].map((open) => open.close());
      await Promise.all([...workflows, events.close(), connection.close()]);
      await folder.remove();
      await database[Symbol.asyncDispose]();
    },
  };
}
