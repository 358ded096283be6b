import { nextUint32, seedRandom } from '@kindred/core/random';
import { describe, expect, test } from 'vitest';
import { FAULTS } from './testing/chaos/faults.ts';
import { checkRun } from './testing/chaos/invariants.ts';
import { Stage } from './testing/chaos/stage.ts';
import { openTrainingWorld } from './testing/training-world.ts';

// Run by `npm run chaos -- --rounds N --seed S`: a training is started, disturbed, and checked, again and again.
const { CHAOS_ROUNDS, CHAOS_SEED, CHAOS_FAULT = '' } = process.env;
const rounds = Number(CHAOS_ROUNDS ?? 0);
const seed = Number(CHAOS_SEED ?? 0);
const names = Object.keys(FAULTS).filter((name) => name.includes(CHAOS_FAULT));
const plan = Array.from({ length: rounds }, (_, round) => names.map((name) => ({ round: round + 1, name }))).flat();

describe('a training that is disturbed ends as if it had not been', () => {
  const startedAt = Date.now();
  const log = (message: string) => console.log(`${String(Date.now() - startedAt).padStart(8)} ms  ${message}`);
  const reference = Promise.withResolvers<Awaited<ReturnType<typeof checkRun>>['outcome']>();

  test('undisturbed', async () => {
    log(`seed ${seed}`);
    await using world = await openTrainingWorld();
    await using stage = new Stage(world, log);
    await stage.raise();
    const { input, handle } = await stage.begin();
    await handle.result();
    const { violations, outcome } = await checkRun(world, input, ['SUCCEEDED']);
    expect(violations).toEqual([]);
    reference.resolve(outcome);
  }, 300_000);

  test.each(plan)(
    'round $round: $name',
    async ({ round, name }) => {
      const fault = FAULTS[name];
      if (fault === undefined) throw new Error(`There is no fault "${name}".`);
      const random = seedRandom(seed * 1_000_003 + round * 101 + names.indexOf(name));
      log(`round ${round}: ${name}, first draw ${nextUint32(random)}`);
      await using world = await openTrainingWorld();
      await using stage = new Stage(world, log);
      await stage.raise();
      const { input, handle } = await stage.begin();
      await fault.strike(stage, input, random);
      await handle.result().catch(() => null);
      const { violations, outcome } = await checkRun(world, input, fault.endings ?? ['SUCCEEDED']);
      expect(violations).toEqual([]);
      if (outcome.metrics !== null) expect(outcome).toEqual(await reference.promise);
    },
    300_000,
  );
});
