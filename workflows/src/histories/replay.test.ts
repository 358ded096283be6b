import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import proto from '@temporalio/proto';
import { bundleWorkflowCode, DefaultLogger, Runtime, Worker, type WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { beforeAll, expect, test } from 'vitest';
import { WORKFLOWS_PATH } from '../workflows-path.ts';

const FOLDER = fileURLToPath(new URL('.', import.meta.url));
const histories = (await readdir(FOLDER)).filter((name) => name.endsWith('.json'));

let workflowBundle: WorkflowBundleWithSourceMap;

beforeAll(async () => {
  const logger = new DefaultLogger('ERROR');
  Runtime.install({ logger });
  workflowBundle = await bundleWorkflowCode({ workflowsPath: WORKFLOWS_PATH, logger });
});

test.each(histories)('the workflows of today go on from the recorded history %s', async (name) => {
  const history = proto.temporal.api.history.v1.History.fromObject(JSON.parse(await readFile(`${FOLDER}${name}`, 'utf8')));
  const replay = Worker.runReplayHistory({ workflowBundle }, history, 'recorded/workflow/id');
  await expect(replay).resolves.toBeUndefined();
});
