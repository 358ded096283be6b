import { env } from '../env.ts';
import { versionedAs } from '../worker-version.ts';
import { WORKFLOWS_PATH } from '../workflows-path.ts';
import { runWorker } from './run-worker.ts';

await runWorker('workflows', async () => ({
  options: {
    ...(env.workflowBundlePath === null
      ? { workflowsPath: WORKFLOWS_PATH }
      : { workflowBundle: { codePath: env.workflowBundlePath } }),
    ...(env.buildId === null ? {} : versionedAs(env.buildId)),
  },
  readiness: {},
  close: async () => {},
}));
