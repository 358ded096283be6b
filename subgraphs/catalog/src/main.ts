import { connectDb } from '@kindred/db/client';
import { connectEventBus } from '@kindred/service/event-bus';
import { createLogger } from '@kindred/service/logger';
import { connectJobWorkflows } from '@kindred/service/job-workflows';
import { openObjectStore } from '@kindred/service/object-store';
import { runMain } from '@kindred/service/run-main';
import { connectUserHistories } from '@kindred/service/user-histories';
import { IMPORT_DATA, jobWorkflowId, TASK_QUEUES } from '@kindred/workflows/contract';
import { env } from './env.ts';
import { startCatalog } from './start-catalog.ts';

const logger = createLogger('catalog', env.logLevel);

await runMain({
  logger,
  start: async () => {
    const db = await connectDb({ url: env.databaseUrl, applicationName: 'catalog' });
    const events = connectEventBus(env.redisUrl);
    const histories = connectUserHistories(env.redisUrl);
    const { itemCacheBytes } = env;
    const objects = openObjectStore(env.objectStore);
    const importWorkflows = connectJobWorkflows({
      temporal: env.temporal,
      workflowType: IMPORT_DATA,
      taskQueue: TASK_QUEUES.workflows,
      workflowIdOf: jobWorkflowId,
    });
    const services = { db, events, histories, objects, importWorkflows };
    const server = await startCatalog({ ...services, logger, env: env.server, itemCacheBytes });
    return {
      drain: async () => {
        await server.drain();
        await events.close();
        histories.close();
        await importWorkflows.close();
        await db[Symbol.asyncDispose]();
      },
    };
  },
});
