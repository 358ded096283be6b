import { connectDb } from '@kindred/db/client';
import { connectEventBus } from '@kindred/service/event-bus';
import { createLogger } from '@kindred/service/logger';
import { runMain } from '@kindred/service/run-main';
import { env } from './env.ts';
import { connectTunings } from './connect-tunings.ts';
import { startModel } from './start-model.ts';
import { connectTrainings } from './trainings.ts';

const logger = createLogger('model', env.logLevel);

await runMain({
  logger,
  start: async () => {
    const db = await connectDb({ url: env.databaseUrl, applicationName: 'model' });
    const events = connectEventBus(env.redisUrl);
    const trainings = connectTrainings(env.temporal);
    const tuningWorkflows = connectTunings(env.temporal);
    const server = await startModel({ db, events, trainings, tuningWorkflows, logger, env: env.server });
    return {
      drain: async () => {
        await server.drain();
        await trainings.close();
        await tuningWorkflows.close();
        await events.close();
        await db[Symbol.asyncDispose]();
      },
    };
  },
});
