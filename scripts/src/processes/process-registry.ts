import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { StopReason } from '../report-error.ts';
import { waitUntil } from '../wait-until.ts';
import { processStart } from './process-identity.ts';
import { signalGroup } from './start-child.ts';

const SERVERS = new Set(['postgres', 'redis', 'temporal']);

/** A process as written down: its id alone would not prove, later, that it is still the same one. */
interface RecordedProcess {
  name: string;
  pid: number;
  start: string;
  stopSignal: NodeJS.Signals;
}

interface RecordedRun {
  supervisor: RecordedProcess;
  /** Where its web app or gateway is. */
  address: string;
  children: RecordedProcess[];
}

/** The written list of one supervisor's processes; it is also the lock of its state folder. */
export interface ProcessRegistry {
  add(child: { name: string; pid: number; stopSignal?: NodeJS.Signals }): void;
  remove(pid: number): void;
  /** Ends every process in the list with SIGKILL, at once. */
  killAll(): void;
  /** Gives the lock back. */
  release(): void;
}

/**
 * Takes the lock of a state folder, ending first what a supervisor that was killed left running.
 * @param onLeftovers told the names of those processes before they are ended
 * @throws StopReason when a supervisor is at work there.
 */
export async function openProcessRegistry(
  path: string,
  { address, onLeftovers }: { address: string; onLeftovers: (names: string[]) => void },
): Promise<ProcessRegistry> {
  mkdirSync(dirname(path), { recursive: true });
  const run: RecordedRun = { supervisor: record({ name: 'supervisor', pid: process.pid }), address, children: [] };
  while (!createExclusively(path, run)) await clearStaleLock(path, onLeftovers);
  const write = (): void => {
    writeFileSync(`${path}.new`, JSON.stringify(run));
    renameSync(`${path}.new`, path);
  };
  return {
    add(child) {
      run.children.push(record(child));
      write();
    },
    remove(pid) {
      run.children = run.children.filter((child) => child.pid !== pid);
      write();
    },
    killAll() {
      for (const child of run.children) if (isSame(child)) signalGroup(child.pid, 'SIGKILL');
    },
    release() {
      rmSync(path, { force: true });
    },
  };
}

function record({
  name,
  pid,
  stopSignal,
}: {
  name: string;
  pid: number;
  stopSignal?: NodeJS.Signals;
}): RecordedProcess {
  // One that has ended already has no start any more; no process ever matches an empty one.
  return { name, pid, start: processStart(pid) ?? '', stopSignal: stopSignal ?? 'SIGTERM' };
}

function isSame({ pid, start }: RecordedProcess): boolean {
  return start !== '' && processStart(pid) === start;
}

/** Writes the lock unless there is one: a link, so that nobody ever reads half a file. */
function createExclusively(path: string, run: RecordedRun): boolean {
  const own = `${path}.${process.pid}`;
  writeFileSync(own, JSON.stringify(run), { mode: 0o600 });
  try {
    linkSync(own, path);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(own, { force: true });
  }
}

async function clearStaleLock(path: string, onLeftovers: (names: string[]) => void): Promise<void> {
  const run = readRun(path);
  if (run === null) return;
  if (isSame(run.supervisor)) {
    throw new StopReason(
      `Kindred is running already (process ${run.supervisor.pid}, ${run.address}): end that one, or choose another --state DIR and --port N.`,
    );
  }
  const left = run.children.filter(isSame);
  if (left.length > 0) {
    onLeftovers(left.map(({ name }) => name));
    // First those that stand on the others: without its servers a worker waits for them instead of ending.
    const isServer = ({ name }: RecordedProcess): boolean => SERVERS.has(name);
    await Promise.all(left.filter((child) => !isServer(child)).map(endLeftover));
    await Promise.all(left.filter(isServer).map(endLeftover));
  }
  rmSync(path, { force: true });
}

function readRun(path: string): RecordedRun | null {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as RecordedRun;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw new StopReason(`${path} cannot be read: make sure that no Kindred runs there, then remove it.`, {
      cause: error,
    });
  }
}

async function endLeftover(child: RecordedProcess): Promise<void> {
  process.kill(child.pid, child.stopSignal);
  const gone = (): Promise<boolean> => Promise.resolve(!isSame(child));
  try {
    await waitUntil(gone, { what: `the end of ${child.name}`, timeoutMs: 10_000, intervalMs: 50 });
  } catch {
    signalGroup(child.pid, 'SIGKILL');
    await waitUntil(gone, { what: `the end of ${child.name}`, timeoutMs: 5_000, intervalMs: 50 });
  }
}
