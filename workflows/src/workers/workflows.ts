import { env } from '../env.ts';
import { WORKFLOWS_PATH } from '../workflows-path.ts';
import { runWorker } from './run-worker.ts';

await runWorker('workflows', async () => ({
  options:
    env.workflowBundlePath === null
      ? { workflowsPath: WORKFLOWS_PATH }
      : { workflowBundle: { codePath: env.workflowBundlePath } },
  readiness: {},
  close: async () => {},
}));
