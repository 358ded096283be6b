import { once } from 'node:events';
import { seedCheckerboard } from '@kindred/testing/checkerboard';
import { createTestTenant } from '@kindred/testing/test-tenant';
import type { TaskQueue, TrainModelInput } from '../../contract.ts';
import { type SpawnedWorker, spawnWorker } from '../spawn-worker.ts';
import { queueRun, readRun, SMALL, startRun, type TrainingWorld } from '../training-world.ts';

/** Enough epochs to be disturbed in, each of some ten milliseconds; one CPU's work is the same on every machine. */
const SETTINGS = { ...SMALL, loss: 'bpr' as const, dimension: 64, epochs: 25, patience: 25 };

const QUEUES: readonly TaskQueue[] = ['workflows', 'data', 'train-cpu'];
const LOOK_EVERY_MS = 15;
const PATIENCE_MS = 180_000;

/** Workers as operators run them, and the tenants whose trainings are disturbed. */
export class Stage implements AsyncDisposable {
  readonly world: TrainingWorld;
  readonly log: (message: string) => void;
  readonly #workers = new Map<TaskQueue, SpawnedWorker>();

  constructor(world: TrainingWorld, log: (message: string) => void) {
    this.world = world;
    this.log = log;
  }

  /** Starts the workers that are not running. */
  async raise(options: { redisUrl?: string } = {}): Promise<void> {
    const missing = QUEUES.filter((queue) => !this.#workers.has(queue));
    for (const queue of missing) {
      this.#workers.set(queue, await spawnWorker(this.world, queue, options));
      this.log(`worker ${queue} started`);
    }
  }

  /** SIGKILL: nothing of the process gets to do anything more. */
  async kill(queue: TaskQueue): Promise<void> {
    const worker = this.#workers.get(queue);
    if (worker === undefined) throw new Error(`Wanted a worker of ${queue} to kill, there is none.`);
    this.#workers.delete(queue);
    const exited = once(worker.child, 'exit');
    worker.child.kill('SIGKILL');
    await exited;
    this.log(`worker ${queue} killed`);
  }

  /** A tenant of its own with the same data and settings each time, so that equal trainings have equal figures. */
  async begin(): Promise<{ input: TrainModelInput; handle: Awaited<ReturnType<typeof startRun>> }> {
    const { tenantId } = await createTestTenant(this.world.deps.db);
    await seedCheckerboard(this.world.deps.db, tenantId, { userCount: 60, itemCount: 120 });
    const input = await queueRun(this.world, tenantId, SETTINGS);
    return { input, handle: await startRun(this.world, input) };
  }

  /** Waits until `holds`, looking every few milliseconds. */
  async until(what: string, holds: () => Promise<boolean>): Promise<void> {
    const deadline = Date.now() + PATIENCE_MS;
    while (!(await holds())) {
      if (Date.now() > deadline) throw new Error(`Wanted ${what} within ${PATIENCE_MS / 1000} s.`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
    this.log(what);
  }

  async untilEpoch(input: TrainModelInput, epoch: number): Promise<void> {
    await this.until(`epoch ${epoch} is told`, async () => {
      const { events } = await readRun(this.world, input);
      return events.some(({ body }) => body.kind === 'EPOCH_FINISHED' && body.epoch >= epoch);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#workers.values()].map((worker) => worker[Symbol.asyncDispose]()));
  }
}
