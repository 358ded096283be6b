import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, statfs } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { StopReason } from '../report-error.ts';
import { findOnPath } from './find-on-path.ts';

/** The Temporal CLI release that is fetched or built; it holds server 1.29.1. */
const TEMPORAL_VERSION = 'v1.5.1';

const DOWNLOAD_TIMEOUT_MS = 180_000;
const BUILD_TIMEOUT_MS = 20 * 60_000;
const BUILD_SPACE_BYTES = 3 * 1024 ** 3;

export type Progress = (message: string) => void;

export interface TemporalBinary {
  path: string;
  /** Where it comes from, such as `PATH` or `built v1.5.1`. */
  origin: string;
}

/**
 * A Temporal server: from PATH, else the user's cache, else the SDK's download, else built with Go into that cache.
 * @throws StopReason when neither the internet nor Go is there.
 */
export async function findTemporalBinary(onProgress: Progress, signal?: AbortSignal): Promise<TemporalBinary> {
  const installed = findOnPath('temporal');
  if (installed !== null) return { path: installed, origin: 'PATH' };
  const path = join(cacheDir(), 'temporal');
  if (existsSync(path)) return { path, origin: TEMPORAL_VERSION };
  await mkdir(cacheDir(), { recursive: true });
  if (await download(path, onProgress, signal)) return { path, origin: `downloaded ${TEMPORAL_VERSION}` };
  await build(path, onProgress, signal);
  return { path, origin: `built ${TEMPORAL_VERSION}` };
}

function cacheDir(): string {
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  return join(cache, 'kindred', `temporal-${TEMPORAL_VERSION}`);
}

async function download(path: string, onProgress: Progress, signal?: AbortSignal): Promise<boolean> {
  const reachable = await fetch('https://temporal.download/', {
    method: 'HEAD',
    signal: AbortSignal.timeout(5_000),
  }).then(
    () => true,
    () => false,
  );
  if (!reachable) return false;
  const work = await mkdtemp(join(cacheDir(), 'download-'));
  try {
    const script = new URL('./download-temporal.ts', import.meta.url).pathname;
    const run = { command: process.execPath, args: [script, work, TEMPORAL_VERSION], timeoutMs: DOWNLOAD_TIMEOUT_MS };
    const failure = await runWithClock(run, { label: 'downloading the Temporal server', onProgress, signal });
    const [file] = failure === null ? await readdir(work) : [];
    if (file === undefined) return false;
    await rename(join(work, file), path);
    return true;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function build(path: string, onProgress: Progress, signal?: AbortSignal): Promise<void> {
  const go = findOnPath('go') ?? findOnPath('go', '/usr/local/go/bin:/usr/lib/go/bin');
  if (go === null) {
    throw new StopReason(
      'The Temporal server is missing, and neither the internet nor Go is there to get it: install the Temporal CLI or Go, or set TEMPORAL_ADDRESS.',
    );
  }
  const { bavail, bsize } = await statfs(cacheDir());
  if (bavail * bsize < BUILD_SPACE_BYTES) {
    throw new StopReason(
      `Building the Temporal server takes 3 GB of disk under ${cacheDir()}: free some space, or set TEMPORAL_ADDRESS.`,
    );
  }
  const work = await mkdtemp(join(cacheDir(), 'build-'));
  try {
    const run = {
      command: go,
      args: ['install', `github.com/temporalio/cli/cmd/temporal@${TEMPORAL_VERSION}`],
      env: { ...process.env, CGO_ENABLED: '0', GOBIN: work },
      timeoutMs: BUILD_TIMEOUT_MS,
    };
    const label = 'building the Temporal server with Go, once, about 4 minutes';
    const failure = await runWithClock(run, { label, onProgress, signal });
    if (failure !== null) throw new StopReason(`The Temporal server could not be built: ${failure}`);
    await rename(join(work, 'temporal'), path);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

interface Run {
  command: string;
  args: readonly string[];
  env?: NodeJS.ProcessEnv;
  timeoutMs: number;
}

// A terminal redraws its line; a log gets a new one each time.
const CLOCK_MS = process.stdout.isTTY ? 1_000 : 15_000;

/** Runs a command, telling now and then how long it has taken; the answer is its last line of complaint, or null. */
function runWithClock(
  { command, args, env, timeoutMs }: Run,
  { label, onProgress, signal }: { label: string; onProgress: Progress; signal: AbortSignal | undefined },
): Promise<string | null> {
  const startedAt = performance.now();
  const tell = (): void => onProgress(`${label} (${Math.round((performance.now() - startedAt) / 1000)} s)`);
  const signals = signal ? [signal, AbortSignal.timeout(timeoutMs)] : [AbortSignal.timeout(timeoutMs)];
  return new Promise((resolve, reject) => {
    const child = spawn(command, [...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
      signal: AbortSignal.any(signals),
      killSignal: 'SIGINT', // at which Go ends its compilers too
      ...(env ? { env } : {}),
    });
    let complaint = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaint = `${complaint}${text}`.slice(-4_000);
    });
    const clock = setInterval(tell, CLOCK_MS);
    tell();
    const finish = (failure: string | null): void => {
      clearInterval(clock);
      if (signal?.aborted) reject(new StopReason('Stopped.'));
      else resolve(failure);
    };
    child.once('error', (error) =>
      finish(error.name === 'AbortError' ? `it took more than ${timeoutMs / 1000} s` : error.message),
    );
    child.once('close', (code) =>
      finish(code === 0 ? null : (complaint.trim().split('\n').at(-1) ?? `it ended with ${code}`)),
    );
  });
}
