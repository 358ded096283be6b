import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { startChild } from '../processes/start-child.ts';
import { waitUntil } from '../wait-until.ts';
import { cacheDir } from './cache-dir.ts';
import { findOnPath } from './find-on-path.ts';
import { type Progress, runWithClock } from './run-with-clock.ts';
import type { Service } from './service.ts';
import { hasNamespace } from './temporal-namespace.ts';

/** As in the project file beside this one. */
const VERSION = '1.32.1';

const PROJECT = new URL('time-skipping-server.pom.xml', import.meta.url).pathname;
const FETCH_TIMEOUT_MS = 5 * 60_000;
const START_TIMEOUT_MS = 120_000;

/**
 * Starts Temporal's test server, whose clock jumps ahead while no workflow or activity has anything to do, for the tests of
 * waits of hours. It is a program in Java, fetched once with Maven.
 * @throws Error with the reason where it can be neither fetched nor run.
 */
export async function startTimeSkippingServer(options: {
  port: number;
  logPath: string;
  onProgress: Progress;
}): Promise<Service> {
  const java = findOnPath('java');
  if (java === null) throw new Error('Java is not installed');
  const jars = await fetchJars(options.onProgress);
  const child = await startChild({
    name: 'time-skipping-server',
    command: java,
    args: [
      '-Xmx256m',
      '-classpath',
      join(jars, '*'),
      'io.temporal.testserver.TestServer',
      String(options.port),
      '--enable-time-skipping',
    ],
    logPath: options.logPath,
  });
  const gone = new AbortController();
  void child.exited.then(() => gone.abort(new Error(`it ended: see ${options.logPath}`)));
  const address = `127.0.0.1:${options.port}`;
  try {
    // Every namespace exists there.
    const wanted = { what: 'The time-skipping server', timeoutMs: START_TIMEOUT_MS, signal: gone.signal };
    await waitUntil(() => hasNamespace(address, 'default'), wanted);
  } catch (error) {
    await child.stop(2_000);
    throw error;
  }
  return { name: 'time-skipping-server', url: address, child, origin: `Maven ${VERSION}` };
}

/** The folder of its jars, in the user's cache. */
async function fetchJars(onProgress: Progress): Promise<string> {
  const jars = join(cacheDir(`time-skipping-server-${VERSION}`), 'jars');
  if (existsSync(jars)) return jars;
  const maven = findOnPath('mvn');
  if (maven === null) throw new Error('Maven is not installed');
  await mkdir(dirname(jars), { recursive: true });
  const work = await mkdtemp(join(dirname(jars), 'fetch-'));
  try {
    const goal = ['--batch-mode', '--quiet', '--file', PROJECT, 'dependency:copy-dependencies'];
    const args = [...goal, `-DoutputDirectory=${work}`, '-DincludeScope=runtime'];
    const run = { command: maven, args, timeoutMs: FETCH_TIMEOUT_MS };
    const failure = await runWithClock(run, {
      label: 'fetching the time-skipping server',
      onProgress,
      signal: undefined,
    });
    if (failure !== null) throw new Error(`Maven could not fetch it: ${failure}`);
    await rename(work, jars);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return jars;
}
