import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { AppError } from '@kindred/domain/app-error';
import type { Logger } from '@kindred/service/logger';

export interface PlanRequest {
  query: string;
  operationName: string | undefined;
}

/** What the thread answers: a plan as JSON, or why it made none. */
export type Planned = { plan: string } | { error: string };

export interface Planning {
  /**
   * The plan of a valid document, as JSON. `isPatient` waits as long as it takes, for documents of our own.
   * @throws SlowPlanError when planning takes too long, AppError UNAVAILABLE when too many wait or the thread is gone
   */
  plan(request: PlanRequest, options?: { isPatient?: boolean }): Promise<string>;
  stats(): { planned: number; refused: number; waiting: number };
  close(): Promise<void>;
}

/** The operation is too much for the planner: nobody waits for it any longer. */
export class SlowPlanError extends Error {
  /** What the thread had done for it when it was refused; undefined where nobody can say. */
  readonly cpuMs: number | undefined;

  constructor(message: string, { cpuMs, cause }: { cpuMs?: number | undefined; cause?: unknown } = {}) {
    super(message, { cause });
    this.cpuMs = cpuMs;
  }
}

export interface PlanningOptions {
  supergraphSdl: string;
  /** How long one operation may be planned. */
  budgetMs?: number | undefined;
  logger: Pick<Logger, 'warn' | 'error'>;
}

// The largest of the web app's documents takes 20 ms in a thread that has just started.
const BUDGET_MS = 200;
/** On a machine so busy that the thread gets no time, it is waited for this many budgets. */
const MOST_BUDGETS = 10;
/** Once the first budget is over, the thread is looked at so often in each. */
const LOOKS = 4;
// At 5 ms each, whoever comes last waits half a second.
const MAX_WAITING = 100;
/**
 * A plan that needs more memory ends the thread, not the gateway. What is young gets 8 MB: by default the thread holds
 * 28 MB more after its start, and starts and plans no faster.
 */
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 192, maxYoungGenerationSizeMb: 8 };
const RESTART_PAUSE_MS = 1_000;

interface Job {
  request: PlanRequest;
  isPatient: boolean;
  resolve(plan: string): void;
  reject(error: Error): void;
}

/**
 * Plans operations in a thread of its own, one at a time, so that none holds the event loop. One that takes too long is
 * refused, and its thread ended and started anew.
 * @throws Error when the first thread does not start
 */
export async function startPlanning(options: PlanningOptions): Promise<Planning> {
  const threads = new PlanningThreads(options);
  await threads.start();
  return threads;
}

class PlanningThreads implements Planning {
  readonly #supergraphSdl: string;
  readonly #budgetMs: number;
  readonly #logger: PlanningOptions['logger'];
  readonly #waiting: Job[] = [];
  #worker: Worker | undefined;
  #running: Job | undefined;
  #planned = 0;
  #refused = 0;
  #isClosed = false;

  constructor({ supergraphSdl, budgetMs = BUDGET_MS, logger }: PlanningOptions) {
    this.#supergraphSdl = supergraphSdl;
    this.#budgetMs = budgetMs;
    this.#logger = logger;
  }

  async start(): Promise<void> {
    const worker = new Worker(new URL('planning-thread.ts', import.meta.url), {
      workerData: this.#supergraphSdl,
      execArgv: [],
      resourceLimits: RESOURCE_LIMITS,
    });
    worker.unref();
    await once(worker, 'message');
    worker.on('message', (planned: Planned) => this.#settle(planned));
    worker.once('error', (error: Error) => this.#restart(worker, error));
    if (this.#isClosed) {
      await worker.terminate();
      return;
    }
    this.#worker = worker;
    this.#next();
  }

  plan(request: PlanRequest, { isPatient = false } = {}): Promise<string> {
    if (this.#isClosed || (!isPatient && this.#waiting.length >= MAX_WAITING)) {
      return Promise.reject(new AppError('UNAVAILABLE', 'Too many new operations are planned now; try again.'));
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ request, isPatient, resolve, reject });
      this.#next();
    });
  }

  stats() {
    return { planned: this.#planned, refused: this.#refused, waiting: this.#waiting.length };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const job of this.#waiting.splice(0)) job.reject(gone());
    this.#running?.reject(gone());
    this.#running = undefined;
    await this.#worker?.terminate();
  }

  #next(): void {
    const worker = this.#worker;
    if (worker === undefined || this.#running !== undefined) return;
    const job = this.#waiting.shift();
    if (job === undefined) return;
    this.#running = job;
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has no origin
    worker.postMessage(job.request);
    if (!job.isPatient) void this.#watch(worker, job);
  }

  #settle(planned: Planned): void {
    const job = this.#running;
    this.#running = undefined;
    if (job !== undefined) {
      this.#planned += 1;
      if ('plan' in planned) job.resolve(planned.plan);
      else job.reject(new Error(`The planner failed: ${planned.error}`));
    }
    this.#next();
  }

  /** Refuses once the budget is over, if the thread had half of it to itself: what else the machine has to do is no fault of the operation. */
  async #watch(worker: Worker, job: Job): Promise<void> {
    const before = await worker.cpuUsage().catch(() => undefined);
    let cpuMs: number | undefined;
    for (let look = LOOKS; look <= MOST_BUDGETS * LOOKS; look++) {
      const pauseMs = look === LOOKS ? this.#budgetMs : this.#budgetMs / LOOKS;
      await new Promise((resolve) => void setTimeout(resolve, pauseMs));
      if (this.#running !== job) return;
      const used = await worker.cpuUsage(before).catch(() => undefined);
      if (this.#running !== job) return;
      cpuMs = used && (used.user + used.system) / 1_000;
      if (cpuMs === undefined || cpuMs >= this.#budgetMs / 2) break;
    }
    this.#running = undefined;
    this.#refused += 1;
    job.reject(new SlowPlanError(`Planning took longer than ${this.#budgetMs} ms`, { cpuMs }));
    this.#replace(worker);
  }

  #restart(worker: Worker, error: Error): void {
    this.#logger.error({ err: error }, 'The planning thread ended');
    const job = this.#running;
    this.#running = undefined;
    // What uses up the thread's memory would do so again.
    job?.reject(new SlowPlanError('Planning took the thread down', { cause: error }));
    this.#replace(worker);
  }

  #replace(worker: Worker): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    void worker.terminate();
    void this.#startAgain();
  }

  async #startAgain(): Promise<void> {
    try {
      await this.start();
    } catch (err) {
      this.#logger.error({ err }, 'The planning thread did not start; it is tried again');
      for (const job of this.#waiting.splice(0)) job.reject(gone());
      setTimeout(() => void this.#startAgain(), RESTART_PAUSE_MS).unref();
    }
  }
}

function gone(): AppError {
  return new AppError('UNAVAILABLE', 'Operations cannot be planned now; try again.');
}
