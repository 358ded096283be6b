import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { WORKFLOWS_PATH } from '../workflows-path.ts';

// A worker that is given the bundle (WORKFLOW_BUNDLE) starts without a compilation.
const folder = fileURLToPath(new URL('../../build/', import.meta.url));
const { code } = await bundleWorkflowCode({ workflowsPath: WORKFLOWS_PATH, logger: new DefaultLogger('WARN') });
await mkdir(folder, { recursive: true });
await writeFile(`${folder}workflow-bundle.js`, code);
process.stdout.write(`${folder}workflow-bundle.js: ${Math.round(code.length / 1024)} KiB\n`);
