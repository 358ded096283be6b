import { once } from 'node:events';
import type { TaskQueue } from '../../contract.ts';
import { type SpawnedWorker, spawnWorker } from '../spawn-worker.ts';
import type { TrainingWorld } from '../training-world.ts';

const QUEUES: readonly TaskQueue[] = ['workflows', 'data', 'train-cpu'];

/** One worker of each queue, and those that were put aside. */
export class Workers implements AsyncDisposable {
  readonly #world: TrainingWorld;
  readonly #log: (message: string) => void;
  readonly #current = new Map<TaskQueue, SpawnedWorker>();
  readonly #aside = new Set<SpawnedWorker>();

  constructor(world: TrainingWorld, log: (message: string) => void) {
    this.#world = world;
    this.#log = log;
  }

  /** Starts the workers that are not running, as whoever supervises them would. */
  async raise(): Promise<void> {
    await Promise.all(QUEUES.filter((queue) => !this.#current.has(queue)).map((queue) => this.#start(queue)));
  }

  /** SIGKILL: nothing of the process gets to do anything more, not even what it would have done in this moment. */
  async kill(queue: TaskQueue): Promise<void> {
    const worker = this.#get(queue);
    this.#current.delete(queue);
    worker.child.kill('SIGKILL');
    this.#log(`worker ${queue} killed`);
    if (worker.child.exitCode === null && worker.child.signalCode === null) await once(worker.child, 'exit');
  }

  /** Stops the process where it is: it neither works nor beats nor ends. Another may be raised in its place. */
  freeze(queue: TaskQueue): SpawnedWorker {
    const worker = this.#get(queue);
    this.#current.delete(queue);
    this.#aside.add(worker);
    worker.child.kill('SIGSTOP');
    this.#log(`worker ${queue} frozen`);
    return worker;
  }

  /** Lets a frozen process go on where it was. */
  thaw(worker: SpawnedWorker): void {
    worker.child.kill('SIGCONT');
    this.#log('the frozen worker goes on');
  }

  /** Ends the workers that were put aside. */
  async clear(): Promise<void> {
    for (const { child } of this.#aside) {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    }
    this.#aside.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.clear();
    const current = [...this.#current.values()];
    this.#current.clear();
    await Promise.all(current.map((worker) => worker[Symbol.asyncDispose]()));
  }

  async #start(queue: TaskQueue): Promise<void> {
    const worker = await spawnWorker(this.#world, queue);
    this.#current.set(queue, worker);
    this.#log(`worker ${queue} started`);
    worker.child.once('exit', (code) => {
      if (this.#current.get(queue) !== worker) return;
      this.#current.delete(queue);
      this.#log(`worker ${queue} ended by itself with ${code}; it is started anew`);
      this.#start(queue).catch((error: unknown) => this.#log(`worker ${queue} does not start: ${String(error)}`));
    });
  }

  #get(queue: TaskQueue): SpawnedWorker {
    const worker = this.#current.get(queue);
    if (worker === undefined) throw new Error(`Wanted a worker of ${queue}, there is none.`);
    return worker;
  }
}
