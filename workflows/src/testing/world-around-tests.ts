import { DefaultLogger, Runtime } from '@temporalio/worker';
import { afterAll, beforeAll } from 'vitest';
import { runWorkers } from './run-workers.ts';
import { openTrainingWorld, type TrainingWorld } from './training-world.ts';

/** The first bundle of the workflows takes a busy machine this long. */
const OPENING_MS = 400_000;

/** Opens a world with workers before the tests of a file, gives it to `take`, and closes it behind them. */
export function openWorldAroundTests(
  take: (world: TrainingWorld) => void,
  replaced: Parameters<typeof runWorkers>[1] = {},
): void {
  const opened = new AsyncDisposableStack();
  beforeAll(async () => {
    Runtime.install({ logger: new DefaultLogger('ERROR') });
    const world = opened.use(await openTrainingWorld());
    opened.use(await runWorkers(world, replaced));
    take(world);
  }, OPENING_MS);
  afterAll(() => opened.disposeAsync(), OPENING_MS);
}
