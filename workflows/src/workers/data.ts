import { PUBLIC_TARGETS } from '@kindred/service/post-publicly';
import { Client, Connection } from '@temporalio/client';
import { createDataActivities } from '../activities/create-activities.ts';
import { dataEnv } from '../data-env.ts';
import { env } from '../env.ts';
import { startOutboxRelay } from '../relay-outbox.ts';
import { startWebhookRelay } from '../relay-webhooks.ts';
import { openActivityDeps } from './activity-deps.ts';
import { runWorker } from './run-worker.ts';

await runWorker('data', async (logger) => {
  const { deps, readiness, close } = await openActivityDeps(logger);
  const { address, namespace } = env.temporal;
  const connection = await Connection.connect({ address });
  const client = new Client({ connection, namespace });
  const relays = [startOutboxRelay(deps), startWebhookRelay({ ...deps, client })];
  const webhooks = { pepper: dataEnv.apiKeyPepper, targetRules: PUBLIC_TARGETS };
  // Longer than a target may take to answer, so that an attempt is written down before its worker is gone.
  const options = { activities: createDataActivities({ ...deps, webhooks }), shutdownGraceTime: '12 seconds' };
  return {
    options,
    readiness,
    async close() {
      await Promise.all(relays.map((relay) => relay[Symbol.asyncDispose]()));
      await connection.close();
      await close();
    },
  };
});
