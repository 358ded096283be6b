import { createComputeActivities } from '../activities/create-activities.ts';
import { openActivityDeps } from './activity-deps.ts';
import { runWorker } from './run-worker.ts';

// A training takes all cores; a second one would only make both slower. It stops at once: its last epoch is stored.
await runWorker('train-cpu', async (logger) => {
  const { deps, readiness, close } = await openActivityDeps(logger);
  const options = { activities: createComputeActivities(deps), maxConcurrentActivityTaskExecutions: 1 };
  return { options, readiness, close };
});
