import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { StopReason } from '../report-error.ts';
import { cacheDir } from './cache-dir.ts';
import { findOnPath } from './find-on-path.ts';
import { type Progress, runWithClock } from './run-with-clock.ts';

/** The Temporal CLI release that is fetched or built; it holds server 1.29.1. */
const TEMPORAL_VERSION = 'v1.5.1';

const CACHE = cacheDir(`temporal-${TEMPORAL_VERSION}`);
const DOWNLOAD_TIMEOUT_MS = 180_000;
const BUILD_TIMEOUT_MS = 20 * 60_000;
const BUILD_SPACE_BYTES = 3 * 1024 ** 3;

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
  const path = join(CACHE, 'temporal');
  if (existsSync(path)) return { path, origin: TEMPORAL_VERSION };
  await mkdir(CACHE, { recursive: true });
  if (await download(path, onProgress, signal)) return { path, origin: `downloaded ${TEMPORAL_VERSION}` };
  await build(path, onProgress, signal);
  return { path, origin: `built ${TEMPORAL_VERSION}` };
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
  const work = await mkdtemp(join(CACHE, 'download-'));
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
  const { bavail, bsize } = await statfs(CACHE);
  if (bavail * bsize < BUILD_SPACE_BYTES) {
    throw new StopReason(
      `Building the Temporal server takes 3 GB of disk under ${CACHE}: free some space, or set TEMPORAL_ADDRESS.`,
    );
  }
  const work = await mkdtemp(join(CACHE, 'build-'));
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
