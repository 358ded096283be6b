import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Db } from '@kindred/db/client';
import { connectEventBus, type EventBus } from '@kindred/service/event-bus';
import { connectJobWorkflows } from '@kindred/service/job-workflows';
import { createLogger } from '@kindred/service/logger';
import { openObjectStore } from '@kindred/service/object-store';
import { connectUserHistories, type UserHistories } from '@kindred/service/user-histories';
import { testInfrastructure } from '@kindred/testing/infrastructure';
import { createSubgraphClient, type SubgraphClient, TEST_SERVER_ENV } from '@kindred/testing/subgraph-client';
import { uniqueName } from '@kindred/testing/temporal-names';
import { createTestDatabase } from '@kindred/testing/test-database';
import { IMPORT_DATA, jobWorkflowId, TASK_QUEUES } from '@kindred/workflows/contract';
import { Client, Connection } from '@temporalio/client';
import { startCatalog } from './start-catalog.ts';

/** The catalog subgraph on a database of its own, asked over HTTP as the gateway asks it. */
export interface TestCatalog extends AsyncDisposable, SubgraphClient {
  readonly db: Db;
  readonly url: string;
  /** Of the database, as its owner. */
  readonly ownerUrl: string;
  readonly histories: UserHistories;
  readonly temporal: Client;
  readonly events: EventBus;
}

export async function createTestCatalog(): Promise<TestCatalog> {
  const database = await createTestDatabase();
  const { db } = database;
  const { redisUrl, temporalAddress } = testInfrastructure();
  const namespace = uniqueName('catalog');
  const connection = await Connection.connect({ address: temporalAddress });
  await connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: { seconds: 86_400 as never },
  });
  const folder = await mkdtemp(join(tmpdir(), 'kindred-objects-'));
  const importWorkflows = connectJobWorkflows({
    temporal: { address: temporalAddress, namespace },
    workflowType: IMPORT_DATA,
    taskQueue: TASK_QUEUES.workflows,
    workflowIdOf: jobWorkflowId,
  });
  const events = connectEventBus(redisUrl);
  const histories = connectUserHistories(redisUrl);
  const server = await startCatalog({
    db,
    events,
    histories,
    objects: openObjectStore({ url: pathToFileURL(folder).href }),
    importWorkflows,
    env: TEST_SERVER_ENV,
    logger: createLogger('catalog', 'error'),
    itemCacheBytes: 2 ** 20,
  });
  return {
    db,
    url: server.url,
    ownerUrl: database.ownerUrl,
    histories,
    events,
    temporal: new Client({ connection, namespace }),
    ...createSubgraphClient({ name: 'catalog', url: server.url }),
    [Symbol.asyncDispose]: async () => {
      await server.drain();
      await events.close();
      histories.close();
      await importWorkflows.close();
      await connection.close();
      await rm(folder, { recursive: true, force: true });
      await database[Symbol.asyncDispose]();
    },
  };
}
