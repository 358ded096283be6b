// Disturbs trainings on real servers, and checks what must hold of each:
//   npm run chaos -- --rounds 10 --seed 7 [--fault "late orphan"]
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from '../root.ts';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '1' }, seed: { type: 'string' }, fault: { type: 'string' } },
});
const rounds = Number(values.rounds);
const seed = Number(values.seed ?? randomInt(2 ** 31));
if (!Number.isInteger(rounds) || rounds < 1)
  throw new Error(`--rounds wants a whole number from 1, got "${values.rounds}".`);
if (!Number.isInteger(seed) || seed < 0) throw new Error(`--seed wants a whole number from 0, got "${values.seed}".`);
console.log(
  `Seed ${seed}, ${rounds} rounds of each fault. To see the same draws again: --rounds ${rounds} --seed ${seed}`,
);
const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
const runner = spawn(
  process.execPath,
  [vitest, 'run', '--project', 'workflows', 'workflows/src/chaos.test.ts', '--disableConsoleIntercept'],
  {
    cwd: ROOT,
    stdio: 'inherit',
    env: {
      ...process.env,
      CHAOS_ROUNDS: String(rounds),
      CHAOS_SEED: String(seed),
      ...(values.fault === undefined ? {} : { CHAOS_FAULT: values.fault }),
    },
  },
);
const [code] = (await once(runner, 'exit')) as [number | null];
process.exitCode = code ?? 1;
