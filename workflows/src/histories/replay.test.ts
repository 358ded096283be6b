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

async function readHistory(name: string) {
  return proto.temporal.api.history.v1.History.fromObject(JSON.parse(await readFile(`${FOLDER}${name}`, 'utf8')));
}

test('there is a recorded history of every type of workflow', async () => {
  const source = await readFile(`${FOLDER}../workflows/all-workflows.ts`, 'utf8');
  const types = [...source.matchAll(/^export \{ (.+) \} from/gm)].flatMap(([, names = '']) => names.split(', '));
  const recorded = await Promise.all(histories.map(readHistory));
  const found = recorded.map(({ events }) => events[0]?.workflowExecutionStartedEventAttributes?.workflowType?.name);
  expect(types.length).toBeGreaterThan(4);
  expect(types.filter((type) => !found.includes(type))).toEqual([]);
});

test.each(histories)('the workflows of today go on from the recorded history %s', async (name) => {
  const history = await readHistory(name);
  const replay = Worker.runReplayHistory({ workflowBundle }, history, 'recorded/workflow/id');
  await expect(replay).resolves.toBeUndefined();
});
