import { createDataActivities } from '../activities/create-activities.ts';
import { openActivityDeps } from './activity-deps.ts';
import { runWorker } from './run-worker.ts';

await runWorker('data', async (logger) => {
  const { deps, readiness, close } = await openActivityDeps(logger);
  const options = { activities: createDataActivities(deps), shutdownGraceTime: '10 seconds' };
  return { options, readiness, close };
});
