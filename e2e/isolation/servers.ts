import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
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
  urls: Record<(typeof SUBGRAPHS)[number], string>;
  /** Signs sessions of the platform, those that nobody would issue included. */
  sessionSigningKey: object;
  /** What every process gets, besides its port. */
  environment: Readonly<Record<string, string>>;
  /** What all processes have logged. */
  logs(): string;
}

/** The gateway and the four subgraphs as processes of their own, on a database of their own. */
export async function startServers(): Promise<Servers> {
  const database = await createTestDatabase();
  const { redisUrl, temporalAddress } = testInfrastructure();
  const folder = await mkdtemp(join(tmpdir(), 'kindred-isolation-'));
  const firstPort = await freePortBlock(SUBGRAPHS.length + 1);
  const at = (index: number) => `http://127.0.0.1:${firstPort + index}`;
  const urls = { tenant: at(0), catalog: at(1), model: at(2), recommendation: at(3) };
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
    await Promise.all([...Object.values(urls), at(4)].map((url) => untilReady(url, () => text)));
  } catch (error) {
    await dispose();
    throw error;
  }
  return {
    database,
    gatewayUrl: at(4),
    urls,
    sessionSigningKey,
    environment: shared,
    logs: () => text,
    [Symbol.asyncDispose]: dispose,
  };
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
