import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface ChildSpec {
  name: string;
  command: string;
  args: readonly string[];
  /** The whole environment of the child; ours when left out. */
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  /** Where its output is appended. */
  logPath: string;
  /** The system user that it runs as. */
  user?: { uid: number; gid: number };
  /** What asks it to end; SIGTERM when left out. */
  stopSignal?: NodeJS.Signals;
}

export interface ChildExit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A process that we own: it leads its own process group, so that a Ctrl-C in the terminal reaches us alone. */
export interface Child {
  readonly name: string;
  readonly pid: number;
  readonly logPath: string;
  readonly stopSignal: NodeJS.Signals;
  readonly exited: Promise<ChildExit>;
  /** Asks it to end, and ends its whole group with SIGKILL when it has not within `graceMs`. Safe to call again. */
  stop(graceMs: number): Promise<ChildExit>;
  /** Ends its whole group at once. */
  kill(): void;
}

/**
 * Starts a process as our own child, in its own group.
 * @throws Error with the system's code (ENOENT, EACCES) when it cannot be started.
 */
export async function startChild(spec: ChildSpec): Promise<Child> {
  mkdirSync(dirname(spec.logPath), { recursive: true });
  const log = openSync(spec.logPath, 'a', 0o640);
  try {
    const handle = spawn(spec.command, [...spec.args], {
      detached: true,
      stdio: ['ignore', log, log],
      ...(spec.env ? { env: spec.env } : {}),
      ...(spec.cwd === undefined ? {} : { cwd: spec.cwd }),
      ...spec.user,
    });
    const exited = new Promise<ChildExit>((resolve) => {
      handle.once('exit', (code, signal) => resolve({ code, signal }));
    });
    await new Promise<void>((resolve, reject) => {
      handle.once('spawn', resolve);
      handle.once('error', reject);
    });
    if (handle.pid === undefined) throw new Error(`${spec.name} was started without a process id`);
    return childOf(spec, handle.pid, exited);
  } finally {
    closeSync(log);
  }
}

function childOf(spec: ChildSpec, pid: number, exited: Promise<ChildExit>): Child {
  const stopSignal = spec.stopSignal ?? 'SIGTERM';
  let ended = false;
  void exited.finally(() => {
    ended = true;
  });
  const kill = (): void => signalGroup(pid, 'SIGKILL');
  const stop = async (graceMs: number): Promise<ChildExit> => {
    if (!ended) signalProcess(pid, stopSignal);
    const waited = new AbortController();
    const late = sleep(graceMs, 'late' as const, { signal: waited.signal }).catch(() => 'stopped' as const);
    const first = await Promise.race([exited, late]);
    waited.abort();
    // Whatever it started itself goes with it, also when it has ended in good order.
    kill();
    return first === 'late' || first === 'stopped' ? exited : first;
  };
  return { name: spec.name, pid, logPath: spec.logPath, stopSignal, exited, stop, kill };
}

function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

/** Sends a signal to a whole process group; one that is gone already is no error. */
export function signalGroup(groupId: number, signal: NodeJS.Signals): void {
  signalProcess(-groupId, signal);
}

function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ESRCH';
}
