import { createDataActivities } from '../activities/create-activities.ts';
import { startOutboxRelay } from '../relay-outbox.ts';
import { openActivityDeps } from './activity-deps.ts';
import { runWorker } from './run-worker.ts';

await runWorker('data', async (logger) => {
  const { deps, readiness, close } = await openActivityDeps(logger);
  const relay = startOutboxRelay(deps);
  const options = { activities: createDataActivities(deps), shutdownGraceTime: '10 seconds' };
  return {
    options,
    readiness,
    async close() {
      await relay[Symbol.asyncDispose]();
      await close();
    },
  };
});
