import { setTimeout as sleep } from 'node:timers/promises';
import { describeFailure, StopReason } from '../report-error.ts';
import { lastWords } from './last-words.ts';
import type { ProcessRegistry } from './process-registry.ts';
import type { Child } from './start-child.ts';

/** A process that is kept running. */
export interface Part {
  name: string;
  /** Starts it. */
  launch(signal: AbortSignal): Promise<Child>;
  /** Returns once it serves. */
  waitUntilReady(signal: AbortSignal): Promise<void>;
}

export type PartState =
  | { kind: 'starting' }
  | { kind: 'ready' }
  | { kind: 'restarting'; reason: string; inMs: number }
  | { kind: 'failed'; reason: string }
  | { kind: 'stopping' }
  | { kind: 'stopped' };

export interface Supervised {
  readonly name: string;
  /** Settles at the first time it is ready; rejects with a StopReason when it never gets there. */
  readonly ready: Promise<void>;
  /** Ends it and keeps it ended. */
  stop(graceMs: number): Promise<void>;
}

export interface SuperviseOptions {
  registry: ProcessRegistry;
  onChange: (state: PartState) => void;
  /** The first pause before a restart; it doubles up to 30 s. */
  firstPauseMs?: number;
}

const LONGEST_PAUSE_MS = 30_000;
const HEALTHY_AFTER_MS = 60_000;
const TRIES_BEFORE_FIRST_READY = 3;

/** Starts a part and starts it again, with growing pauses, whenever it ends by itself. */
export function supervise(part: Part, options: SuperviseOptions): Supervised {
  const stopping = new AbortController();
  const first = Promise.withResolvers<void>();
  first.promise.catch(() => undefined); // whoever waits for `ready` hears of it
  const run: Run = {
    part,
    options,
    stopping: stopping.signal,
    child: null,
    wasReady: false,
    graceMs: 0,
    onFirstReady: first.resolve,
  };
  const loop = keepRunning(run).catch((error: unknown) => {
    options.onChange({ kind: 'failed', reason: describeFailure(error) });
    first.reject(error);
  });
  return {
    name: part.name,
    ready: first.promise,
    async stop(graceMs) {
      if (!stopping.signal.aborted) {
        stopping.abort(new StopReason('Stopped.'));
        options.onChange({ kind: 'stopping' });
      }
      run.graceMs = graceMs;
      await run.child?.stop(graceMs);
      await loop;
      first.reject(new StopReason('Stopped.'));
      options.onChange({ kind: 'stopped' });
    },
  };
}

interface Run {
  part: Part;
  options: SuperviseOptions;
  stopping: AbortSignal;
  child: Child | null;
  wasReady: boolean;
  /** How long the child may take to end once `stopping` is aborted. */
  graceMs: number;
  onFirstReady: () => void;
}

async function keepRunning(run: Run): Promise<void> {
  const { part, options, stopping } = run;
  for (let failures = 0; !stopping.aborted; ) {
    const startedAt = performance.now();
    const reason = await runOnce(run);
    if (stopping.aborted) return;
    failures = performance.now() - startedAt > HEALTHY_AFTER_MS ? 1 : failures + 1;
    if (!run.wasReady && failures >= TRIES_BEFORE_FIRST_READY)
      throw new StopReason(`${part.name} does not start: ${reason}`);
    const inMs = Math.min(LONGEST_PAUSE_MS, (options.firstPauseMs ?? 500) * 2 ** (failures - 1));
    options.onChange({ kind: 'restarting', reason, inMs });
    await sleep(inMs, undefined, { signal: stopping }).catch(() => undefined);
  }
}

/** Runs the part until it ends; the answer is why it did. */
async function runOnce(run: Run): Promise<string> {
  const { part, options, stopping } = run;
  options.onChange({ kind: 'starting' });
  try {
    run.child = await part.launch(stopping);
  } catch (error) {
    // A launcher's own StopReason says what to do: trying again would not help.
    if (error instanceof StopReason && !run.wasReady && !stopping.aborted) throw error;
    return describeFailure(error);
  }
  const child = run.child;
  options.registry.add(child);
  try {
    // Asked to stop while the launch was under way: nobody else knows of this child.
    if (stopping.aborted) await child.stop(run.graceMs);
    return await followChild(run, child);
  } finally {
    run.child = null;
    options.registry.remove(child.pid);
  }
}

async function followChild(run: Run, child: Child): Promise<string> {
  const waiting = new AbortController();
  const ready = run.part.waitUntilReady(AbortSignal.any([waiting.signal, run.stopping])).then(() => 'ready' as const);
  ready.catch(() => undefined);
  try {
    const first = await Promise.race([ready, child.exited]);
    if (first === 'ready' && !run.stopping.aborted) {
      run.wasReady = true;
      run.options.onChange({ kind: 'ready' });
      run.onFirstReady();
    }
  } catch (error) {
    await child.stop(run.stopping.aborted ? run.graceMs : 2_000);
    return describeFailure(error);
  } finally {
    waiting.abort();
  }
  const exit = await child.exited;
  const words = lastWords(child.logPath);
  return `it ended with ${exit.signal ?? `code ${exit.code}`}${words === null ? '' : `: ${words}`} (see ${child.logPath})`;
}
