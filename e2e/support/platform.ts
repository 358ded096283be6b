import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const READY_LINE = 'Ctrl-C ends everything';
const READY_TIMEOUT_MS = 280_000;

/** A platform that `npm start` brought up, in a state folder and on ports of its own. */
export interface Platform {
  webUrl: string;
  apiUrl: string;
  /** Everything that it printed so far. */
  output(): string;
  /** How long it took until everything was up and seeded, in milliseconds. */
  readyMs: number;
  demo: { email: string; password: string; secretKey: string; publishableKey: string };
  /** The pids that the supervisor says it owns, by part. */
  pids(): Map<string, number>;
  /** Ctrl-C; resolves with the exit code. */
  interrupt(): Promise<number | null>;
}

/** Where the tests find MovieLens. */
export const DATA_DIR = resolve(ROOT, process.env.KINDRED_DATA_DIR ?? '../shared/data');

/** Starts the whole platform as `npm start` does, and waits until it has printed its first recommendation. */
export async function startPlatform({ stateDir, port }: { stateDir: string; port: number }): Promise<Platform> {
  const startedAt = performance.now();
  const child = spawn(
    process.execPath,
    [join(ROOT, 'scripts/src/start/main.ts'), '--state', stateDir, '--port', String(port), '--data', DATA_DIR],
    { cwd: ROOT, env: ownEnvironment(), stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const output = await untilReady(child);
  return {
    webUrl: `http://localhost:${port}`,
    apiUrl: `http://localhost:${port + 1}/graphql`,
    output,
    readyMs: performance.now() - startedAt,
    demo: JSON.parse(readFileSync(join(stateDir, 'demo.json'), 'utf8')) as Platform['demo'],
    pids: () => readPids(join(stateDir, 'processes.json')),
    interrupt: async () => {
      const ended = once(child, 'exit');
      child.kill('SIGINT');
      const [code] = (await ended) as [number | null];
      return code;
    },
  };
}

/** The environment without what would point the platform at other servers, and without what the test runner set. */
function ownEnvironment(): NodeJS.ProcessEnv {
  const foreign = /^(DATABASE_URL|MIGRATION_DATABASE_URL|REDIS_URL|TEMPORAL_ADDRESS|NODE_ENV|VITEST.*|TEST_.*)$/;
  return Object.fromEntries(Object.entries(process.env).filter(([key]) => !foreign.test(key)));
}

async function untilReady(child: ChildProcess): Promise<() => string> {
  let text = '';
  const { promise, resolve: ready, reject } = Promise.withResolvers<undefined>();
  const collect = (chunk: Buffer): void => {
    text += chunk.toString('utf8');
    if (text.includes(READY_LINE)) ready(undefined);
  };
  child.stdout?.on('data', collect);
  child.stderr?.on('data', collect);
  child.once('exit', (code) => reject(new Error(`npm start ended with ${code}:\n${text}`)));
  const timer = setTimeout(() => reject(new Error(`npm start is not ready yet:\n${text}`)), READY_TIMEOUT_MS);
  try {
    await promise;
  } catch (error) {
    child.kill('SIGINT');
    throw error;
  } finally {
    clearTimeout(timer);
  }
  return () => text;
}

function readPids(path: string): Map<string, number> {
  const { children } = JSON.parse(readFileSync(path, 'utf8')) as { children: { name: string; pid: number }[] };
  return new Map(children.map(({ name, pid }) => [name, pid]));
}
