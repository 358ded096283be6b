// What a training costs as a workflow, beside the same training bare: one process that holds the data and computes the same
// epochs with the same threads, each evaluated on the validation interactions, and nothing else. The workflow's time is from
// the mutation to the run's end, with all that the bare training has not: the checks, the export, the instant model, the
// checkpoints, the events, the evaluation beside the baselines, the index and the promotion. In turns, several times.
// `node scripts/bench/workflow.ts [--seconds N | --epochs N] [--pairs N] [--items N] [--users N] [--per-user N] [--json FILE]`:
// `seconds` is how long the bare training is to take; `epochs` compares runs on a busy machine; more data make longer epochs.
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { availableParallelism, loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs, promisify } from 'node:util';
import { decodeGlobalId } from '@kindred/domain/ids';
import { request } from '../src/demo/api.ts';
import { ROOT } from '../src/root.ts';
import { median } from '@kindred/testing/quantile';
import { cpuBetween, readUse } from './serve/process-use.ts';
import { startTrainingPlatform } from './training/platform.ts';
import { createTenant, readSteps, type Settings, type Step, train, untilSucceeded } from './training/runs.ts';

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    epochs: { type: 'string' },
    pairs: { type: 'string', default: '2' },
    items: { type: 'string', default: '2000' },
    users: { type: 'string', default: '2000' },
    'per-user': { type: 'string', default: '30' },
    json: { type: 'string' },
  },
});
const SECONDS = Number(options.seconds);
const PAIRS = Number(options.pairs);
const SIZE = {
  itemCount: Number(options.items),
  userCount: Number(options.users),
  interactionsPerUser: Number(options['per-user']),
};
const PROBE_EPOCHS = 50;
const PROBED_MS = 10_000;
const MOST_EPOCHS = 1_000;
const IDLE_MS = 10_000;
const WORKERS = ['worker-workflows', 'worker-data', 'worker-train-cpu'];

interface Bare {
  tookMs: number;
  cpuMs: number;
  epochs: number;
  epochMs: number;
  backend: string;
}

interface Pair {
  bare: Bare;
  workflow: { tookMs: number; cpuMs: number; restCpuMs: number; cpuMsByProcess: Record<string, number>; steps: Step[] };
}

const loadBefore = loadavg();
await using platform = await startTrainingPlatform();
const tenant = await createTenant(platform, SIZE);
const { tenant: found } = await request<{ tenant: { id: string } }>(tenant.api, {
  document: 'query Tenant { tenant { id } }',
  credential: tenant.credential,
});
const tenantId = decodeGlobalId('Tenant', found.id);
const settingsOf = (epochs: number): Settings => ({ epochs, patience: MOST_EPOCHS, dimension: 64, seed: 7 });

const first = await trainBare(settingsOf(1));
const probe = await trainBare(settingsOf(Math.min(PROBE_EPOCHS, Math.max(3, Math.ceil(PROBED_MS / first.epochMs)))));
// Once unmeasured, as the bare training: the first on a new platform compiles its threads' code.
await trainAsWorkflow(settingsOf(probe.epochs));
const idle = await measureIdle();
const wanted = Number(options.epochs ?? Math.ceil((SECONDS * 1_000) / probe.epochMs));
const settings = settingsOf(Math.min(MOST_EPOCHS, Math.max(1, wanted)));
const pairs: Pair[] = [];
for (let pair = 0; pair < PAIRS; pair++) {
  // In turns first and second.
  const isBareFirst = pair % 2 === 0;
  const before = isBareFirst ? await trainBare(settings) : null;
  const workflow = await trainAsWorkflow(settings);
  pairs.push({ bare: before ?? (await trainBare(settings)), workflow });
}

async function trainBare(own: Settings): Promise<Bare> {
  const script = join(ROOT, 'workflows/bench/bare-training.ts');
  const env = { ...process.env, DATABASE_URL: appUrl() };
  const { stdout } = await promisify(execFile)(process.execPath, [script, tenantId, JSON.stringify(own)], { env });
  return JSON.parse(stdout) as Bare;
}

function appUrl(): string {
  const url = new URL(`postgres://kindred_app@127.0.0.1:${platform.ports.postgres}/kindred`);
  url.password = platform.secrets.appRolePassword;
  return url.href;
}

/** The CPU time that the platform takes while nobody asks anything of it, in milliseconds per second by process. */
async function measureIdle(): Promise<Record<string, number>> {
  const before = readUse(platform.processes());
  await sleep(IDLE_MS);
  const used = Object.entries(cpuBetween(before, readUse(platform.processes())));
  return Object.fromEntries(used.map(([name, ms]) => [name, (ms / IDLE_MS) * 1_000]));
}

async function trainAsWorkflow(own: Settings): Promise<Pair['workflow']> {
  const before = readUse(platform.processes());
  const startedAt = Date.now();
  const runId = await train(tenant, own);
  const { finishedAt } = await untilSucceeded(tenant, runId);
  const tookMs = Date.parse(finishedAt ?? '') - startedAt;
  const used = cpuBetween(before, readUse(platform.processes()));
  const cpuMs = WORKERS.reduce((sum, name) => sum + (used[name] ?? 0), 0);
  const restCpuMs = Object.values(used).reduce((sum, ms) => sum + ms, -cpuMs);
  return { tookMs, cpuMs, restCpuMs, cpuMsByProcess: used, steps: await readSteps(tenant, runId) };
}

const percent = (ratio: number): string => `${((ratio - 1) * 100).toFixed(1)} %`;
const trainMsOf = ({ workflow }: Pair): number => workflow.steps.find(({ phase }) => phase === 'TRAIN')?.tookMs ?? 0;

const seconds = (ms: number): string => (ms / 1_000).toFixed(1);
const largestFirst = (cpuMs: Record<string, number>, write: (ms: number) => string): string => {
  const sorted = Object.entries(cpuMs).toSorted(([, left], [, right]) => right - left);
  return sorted.map(([name, ms]) => `${name} ${write(ms)}`).join(', ');
};

for (const { bare, workflow } of pairs) {
  console.log(
    `bare ${seconds(bare.tookMs)} s (CPU ${seconds(bare.cpuMs)} s), ${bare.epochs} epochs, ${bare.backend}; ` +
      `as a workflow ${seconds(workflow.tookMs)} s (CPU of the workers ${seconds(workflow.cpuMs)} s, of everything else ${seconds(workflow.restCpuMs)} s): ` +
      workflow.steps.map(({ phase, tookMs }) => `${phase} ${seconds(tookMs)}`).join(', '),
  );
  console.log(
    `  CPU seconds by process: bare ${seconds(bare.cpuMs)}; ${largestFirst(workflow.cpuMsByProcess, seconds)}`,
  );
}
console.log(`CPU milliseconds per second of an idle platform: ${largestFirst(idle, (ms) => ms.toFixed(0))}`);
const overhead = {
  whole: median(pairs.map((pair) => pair.workflow.tookMs / pair.bare.tookMs)),
  training: median(pairs.map((pair) => trainMsOf(pair) / pair.bare.tookMs)),
  cpu: median(pairs.map((pair) => pair.workflow.cpuMs / pair.bare.cpuMs)),
};
console.log(`The whole workflow takes ${percent(overhead.whole)} longer than the bare training`);
console.log(`Its training step, with checkpoints, events and heartbeats: ${percent(overhead.training)}`);
console.log(`CPU time of all workers: ${percent(overhead.cpu)}`);
const machine = { cores: availableParallelism(), loadBefore, loadAfter: loadavg(), node: process.version };
console.log(`${machine.cores} cores, load ${loadBefore.map((value) => value.toFixed(1)).join(' ')} before`);
if (options.json !== undefined)
  await writeFile(
    options.json,
    `${JSON.stringify({ machine, size: SIZE, settings, idle, pairs, overhead }, null, 2)}\n`,
  );
