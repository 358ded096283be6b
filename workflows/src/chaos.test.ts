import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Control } from './testing/chaos/control.ts';
import { FAULTS } from './testing/chaos/faults.ts';
import type { TrainingOutcome } from './testing/chaos/invariants.ts';
import { playRound, UNDISTURBED } from './testing/chaos/round.ts';
import { openStage, type Stage } from './testing/chaos/stage.ts';

// Run by `npm run chaos -- --rounds N --seed S`: a training is started, disturbed, and checked, again and again.
const { CHAOS_CONTROL = '', CHAOS_DISK, CHAOS_ROUNDS, CHAOS_SEED, CHAOS_FAULT = '' } = process.env;
const rounds = Number(CHAOS_ROUNDS ?? 0);
const seed = Number(CHAOS_SEED ?? 0);
const allNames = Object.keys(FAULTS);
const names = allNames.filter((name) => CHAOS_FAULT.split(',').some((part) => name.includes(part)));
const plan = Array.from({ length: rounds }, (_, round) => names.map((name) => ({ round: round + 1, name }))).flat();

const startedAt = Date.now();
const log = (message: string) => console.log(`${String(Date.now() - startedAt).padStart(8)} ms  ${message}`);

const open = new AsyncDisposableStack();
let stage: Stage;
let reference: TrainingOutcome | null = null;

beforeAll(async () => {
  log(`seed ${seed}`);
  stage = open.use(await openStage({ control: new Control(CHAOS_CONTROL), disk: CHAOS_DISK ?? null, log }));
}, 300_000);

afterAll(() => open.disposeAsync(), 60_000);

describe('a training that is disturbed ends as if it had not been', () => {
  test('undisturbed', async () => {
    const options = { name: 'undisturbed', fault: UNDISTURBED, round: 0, seed, reference };
    const { report, outcome } = await playRound(stage, options);
    await stage.control.report(report);
    expect(report.violations).toEqual([]);
    reference = outcome;
  }, 300_000);

  test.each(plan)(
    'round $round: $name',
    async ({ round, name }) => {
      const fault = FAULTS[name];
      if (fault === undefined) throw new Error(`There is no fault "${name}".`);
      if (fault.isPossible?.(stage) === false) {
        log(`round ${round}: ${name} cannot be had on this machine`);
        return;
      }
      // The same for a round and a fault, whichever others are played.
      const seedOfRound = seed * 1_000_003 + round * 101 + allNames.indexOf(name);
      log(`round ${round}: ${name}, seed ${seedOfRound}. ${fault.invariant}`);
      const { report } = await playRound(stage, { name, fault, round, seed: seedOfRound, reference });
      await stage.control.report(report);
      expect(report.violations).toEqual([]);
    },
    400_000,
  );
});
