// Disturbs trainings on real servers, and checks what must hold of each:
//   npm run chaos -- --rounds 10 --seed 7 [--fault "late orphan,poison"] [--json FILE]
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { availableParallelism, loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from '../root.ts';
import { startInfrastructure } from '../testing/infrastructure.ts';
import { startControlServer } from './control-server.ts';
import { tableOf } from './report.ts';
import { mountSmallDisk } from './small-disk.ts';

const DISK_MIB = 192;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '1' },
    seed: { type: 'string' },
    fault: { type: 'string' },
    json: { type: 'string' },
  },
});
const rounds = Number(values.rounds);
const seed = Number(values.seed ?? randomInt(2 ** 31));
if (!Number.isInteger(rounds) || rounds < 1)
  throw new Error(`--rounds wants a whole number from 1, got "${values.rounds}".`);
if (!Number.isInteger(seed) || seed < 0) throw new Error(`--seed wants a whole number from 0, got "${values.seed}".`);
console.log(
  `Seed ${seed}, ${rounds} rounds of each fault. To see the same draws again: --rounds ${rounds} --seed ${seed}`,
);
const loadBefore = loadavg();
await using disk = await mountSmallDisk(DISK_MIB);
const infrastructure = await startInfrastructure((message) => console.error(message));
const control = await startControlServer(infrastructure);
const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
const runner = spawn(
  process.execPath,
  [vitest, 'run', '--project', 'workflows', 'workflows/src/chaos.test.ts', '--disableConsoleIntercept'],
  {
    cwd: ROOT,
    stdio: 'inherit',
    env: {
      ...process.env,
      TEST_INFRASTRUCTURE: JSON.stringify(infrastructure.urls),
      CHAOS_CONTROL: control.url,
      CHAOS_ROUNDS: String(rounds),
      CHAOS_SEED: String(seed),
      ...(values.fault === undefined ? {} : { CHAOS_FAULT: values.fault }),
      ...(disk.path === null ? {} : { CHAOS_DISK: disk.path }),
    },
  },
);
// What was played until then is told; the servers are ours to end.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void runner.kill('SIGINT'));
const [code] = (await once(runner, 'exit')) as [number | null];
control.close();
await infrastructure.stop();

const { reports } = control;
for (const line of tableOf(reports)) console.log(line);
const wrong = reports.filter(({ violations }) => violations.length > 0);
for (const { fault, round, violations } of wrong) console.log(`round ${round} of ${fault}: ${violations.join(' ')}`);
const machine = { cores: availableParallelism(), loadBefore, loadAfter: loadavg(), node: process.version };
console.log(`${reports.length} rounds, ${wrong.length} of them wrong; seed ${seed}; ${machine.cores} cores`);
if (values.json !== undefined)
  await writeFile(values.json, `${JSON.stringify({ seed, rounds, machine, reports }, null, 2)}\n`);
process.exitCode = wrong.length > 0 ? 1 : (code ?? 1);
