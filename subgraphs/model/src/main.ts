import { connectDb } from '@kindred/db/client';
import { connectEventBus } from '@kindred/service/event-bus';
import { createLogger } from '@kindred/service/logger';
import { openObjectStore } from '@kindred/service/object-store';
import { runMain } from '@kindred/service/run-main';
import { BATCH_RECOMMEND, TUNE_MODEL } from '@kindred/workflows/contract';
import { env } from './env.ts';
import { connectJobs } from './connect-jobs.ts';
import { startModel } from './start-model.ts';
import { connectTrainings } from './trainings.ts';

const logger = createLogger('model', env.logLevel);

await runMain({
  logger,
  start: async () => {
    const db = await connectDb({ url: env.databaseUrl, applicationName: 'model' });
    const events = connectEventBus(env.redisUrl);
    const trainings = connectTrainings(env.temporal);
    const tuningWorkflows = connectJobs(env.temporal, TUNE_MODEL);
    const batchWorkflows = connectJobs(env.temporal, BATCH_RECOMMEND);
    const objects = openObjectStore(env.objectStore);
    const services = { db, events, trainings, tuningWorkflows, batchWorkflows, objects };
    const server = await startModel({ ...services, logger, env: env.server });
    return {
      drain: async () => {
        await server.drain();
        await trainings.close();
        await tuningWorkflows.close();
        await batchWorkflows.close();
        await events.close();
        await db[Symbol.asyncDispose]();
      },
    };
  },
});
