import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { testInfrastructure } from '@kindred/testing/infrastructure';
import { INTERNAL_TOKEN_SECRET } from '@kindred/testing/subgraph-client';
import { createTestDatabase, type TestDatabase } from '@kindred/testing/test-database';
import { freePortBlock } from '../support/free-ports.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const SUBGRAPHS = ['tenant', 'catalog', 'model', 'recommendation'] as const;
const READY_TIMEOUT_MS = 200_000;

export interface Servers extends AsyncDisposable {
  database: TestDatabase;
  gatewayUrl: string;
  /** Where the dashboard is; nothing is there unless it was asked for. */
  webUrl: string;
  urls: Record<(typeof SUBGRAPHS)[number], string>;
  /** Signs sessions of the platform, those that nobody would issue included. */
  sessionSigningKey: object;
  /** What every process gets, besides its port. */
  environment: Readonly<Record<string, string>>;
  /** What all processes have logged. */
  logs(): string;
}

/** The gateway, the four subgraphs and if asked for the dashboard as processes of their own, on a database of their own. */
export async function startServers({ withWeb = false } = {}): Promise<Servers> {
  if (withWeb) await buildWeb();
  const database = await createTestDatabase();
  const { redisUrl, temporalAddress } = testInfrastructure();
  const folder = await mkdtemp(join(tmpdir(), 'kindred-isolation-'));
  const firstPort = await freePortBlock(SUBGRAPHS.length + 2);
  const at = (index: number) => `http://127.0.0.1:${firstPort + index}`;
  const urls = { tenant: at(0), catalog: at(1), model: at(2), recommendation: at(3) };
  const [gatewayUrl, webUrl] = [at(4), at(5)];
  const sessionSigningKey = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  const shared = {
    PATH: process.env.PATH ?? '',
    NODE_ENV: 'test',
    LOG_LEVEL: 'debug',
    DATABASE_URL: database.appUrl,
    REDIS_URL: redisUrl,
    INTERNAL_TOKEN_SECRET,
    TEMPORAL_ADDRESS: temporalAddress,
    SESSION_SIGNING_KEY: Buffer.from(JSON.stringify(sessionSigningKey)).toString('base64'),
    // Each question without a credential comes from an address of its own, so that none is refused for its rate.
    TRUSTED_PROXIES: '1',
    API_KEY_PEPPER: 'the API key pepper of the tests, 32 chars',
    OBJECT_STORE_URL: pathToFileURL(join(folder, 'objects')).href,
    CACHE_DIR: join(folder, 'cache'),
    ALLOWED_ORIGINS: webUrl,
    PUBLIC_API_URL: gatewayUrl,
    ...Object.fromEntries(SUBGRAPHS.map((name) => [`${name.toUpperCase()}_URL`, urls[name]])),
  };
  let text = '';
  const start = (script: string, port: number): ChildProcess => {
    const env = { ...shared, PORT: String(port) };
    const child = spawn(process.execPath, [join(ROOT, script)], { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')));
    return child;
  };
  const children = [
    ...SUBGRAPHS.map((name, index) => start(`subgraphs/${name}/src/main.ts`, firstPort + index)),
    start('gateway/src/main.ts', firstPort + SUBGRAPHS.length),
    ...(withWeb ? [start('web/src/server.ts', firstPort + SUBGRAPHS.length + 1)] : []),
  ];
  const dispose = async () => {
    const ended = children.map(
      (child) => new Promise((resolve) => (child.exitCode === null ? child.once('exit', resolve) : resolve(0))),
    );
    for (const child of children) child.kill('SIGTERM');
    await Promise.all(ended);
    await database[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await Promise.all(
      [...Object.values(urls), gatewayUrl, ...(withWeb ? [webUrl] : [])].map((url) => untilReady(url, () => text)),
    );
  } catch (error) {
    await dispose();
    throw error;
  }
  return {
    database,
    gatewayUrl,
    webUrl,
    urls,
    sessionSigningKey,
    environment: shared,
    logs: () => text,
    [Symbol.asyncDispose]: dispose,
  };
}

/** Builds the dashboard, unless what was built before is of the same sources. */
async function buildWeb(): Promise<void> {
  const args = ['run', 'build', '--filter=@kindred/web', '--output-logs=errors-only', '--ui=stream'];
  const child = spawn(join(ROOT, 'node_modules/.bin/turbo'), args, {
    cwd: ROOT,
    env: {
      PATH: process.env.PATH,
      TURBO_TELEMETRY_DISABLED: '1',
      NEXT_TELEMETRY_DISABLED: '1',
      NODE_ENV: 'production',
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`Wanted a dashboard, its build ended with ${code}.`);
}

/** Resolves when the process at `url` says that it is ready; `logs` go into the error when it does not. */
export async function untilReady(url: string, logs: () => string): Promise<void> {
  for (const endAt = Date.now() + READY_TIMEOUT_MS; Date.now() < endAt; ) {
    const isReady = await fetch(`${url}/health/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isReady) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`${url} is not ready after ${READY_TIMEOUT_MS} ms:\n${logs()}`);
}
