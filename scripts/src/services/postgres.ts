import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { chmod, chown, lstat, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { startChild } from '../processes/start-child.ts';
import { StopReason } from '../report-error.ts';
import { waitUntil } from '../wait-until.ts';
import { findPostgresBinaries, type PostgresBinaries } from './postgres-binaries.ts';
import { findPostgresUser, type SystemUser } from './postgres-user.ts';
import type { Service } from './service.ts';

const OWNER = 'kindred';

export interface PostgresOptions {
  /** Holds the cluster and its password. */
  dir: string;
  port: number;
  logPath: string;
  /** False for tests: a crash of the machine may then lose the cluster. */
  durable: boolean;
  signal?: AbortSignal;
}

/**
 * Starts our own PostgreSQL on 127.0.0.1, creating its cluster on first use.
 * @returns the service; `url` is of the owner (a superuser) and its database `kindred`.
 * @throws StopReason when it cannot be run or the cluster is of another major version.
 */
export async function startPostgres(options: PostgresOptions): Promise<Service> {
  const user = findPostgresUser();
  const binaries = await findPostgresBinaries(user);
  const dir = await openDir(options.dir, user);
  const data = join(dir, 'data');
  const password = await openCluster({ dir, data, binaries, user });
  const child = await startChild({
    name: 'postgres',
    command: binaries.postgres,
    args: ['-D', data, ...settings(options)],
    cwd: '/',
    logPath: options.logPath,
    stopSignal: 'SIGINT', // "fast shutdown": ends sessions instead of waiting for them
    ...(user ? { user } : {}),
  });
  const url = `postgres://${OWNER}:${password}@127.0.0.1:${options.port}/kindred`;
  try {
    await waitForPostgres(url, {
      timeoutMs: 60_000,
      died: child.exited,
      ...(options.signal ? { signal: options.signal } : {}),
    });
  } catch (error) {
    await child.stop(5_000);
    throw new StopReason(`PostgreSQL did not start: see ${options.logPath}.`, { cause: error });
  }
  return { name: 'postgres', url, child, origin: `embedded ${binaries.version}` };
}

/** Where the cluster really is: `wanted`, or a folder of /var/tmp when the system user cannot get into `wanted`. */
async function openDir(wanted: string, user: SystemUser | null): Promise<string> {
  const dirs = user === null ? [wanted] : [wanted, hiddenDir(wanted)];
  for (const dir of dirs) {
    await mkdir(dir, { recursive: true, mode: 0o755 });
    if (user === null) return dir;
    const { uid } = await lstat(dir);
    // /var/tmp is open to all: a cluster that somebody else put there is not ours to run.
    if (uid !== 0 && uid !== user.uid) throw new StopReason(`${dir} is not ours: remove it and start again.`);
    await chown(dir, user.uid, user.gid);
    await chmod(dir, 0o700);
    if (await canEnter(dir, user)) return dir;
  }
  throw new StopReason(`User ${user?.name} cannot reach ${wanted}: choose another folder with --state DIR.`);
}

/** The folder of /var/tmp that stands in for a state folder that user `postgres` cannot reach. */
export function hiddenDir(wanted: string): string {
  return `/var/tmp/kindred-${createHash('sha256').update(wanted).digest('hex').slice(0, 16)}`;
}

async function canEnter(dir: string, { uid, gid }: SystemUser): Promise<boolean> {
  const run = promisify(execFile);
  return run('test', ['-w', dir], { uid, gid, cwd: '/' }).then(
    () => true,
    () => false,
  );
}

interface Cluster {
  dir: string;
  data: string;
  binaries: PostgresBinaries;
  user: SystemUser | null;
}

async function openCluster(cluster: Cluster): Promise<string> {
  const passwordPath = join(cluster.dir, 'password');
  const made = await readFile(join(cluster.data, 'PG_VERSION'), 'utf8').catch(() => null);
  const password = await readFile(passwordPath, 'utf8').catch(() => null);
  if (made !== null && password !== null) {
    const major = cluster.binaries.version.split('.', 1)[0];
    if (made.trim() === major) return password;
    throw new StopReason(
      `The database was made by PostgreSQL ${made.trim()} and this is ${major}: start with --reset, or set DATABASE_URL.`,
    );
  }
  // Half a cluster holds nothing: initdb was interrupted.
  await rm(cluster.data, { recursive: true, force: true });
  return createCluster(cluster, passwordPath);
}

async function createCluster({ data, binaries, user }: Cluster, passwordPath: string): Promise<string> {
  const password = randomBytes(24).toString('base64url');
  await writeFile(passwordPath, password, { mode: 0o600 });
  if (user) await chown(passwordPath, user.uid, user.gid);
  const args = [
    '-D',
    data,
    '-U',
    OWNER,
    '--pwfile',
    passwordPath,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
    '--no-sync',
  ];
  try {
    await promisify(execFile)(binaries.initdb, args, { cwd: '/', ...user });
  } catch (cause) {
    await rm(data, { recursive: true, force: true });
    const lines = cause instanceof Error && 'stderr' in cause ? String(cause.stderr).trim().split('\n') : [];
    const reason = lines.find((line) => line.includes('error:')) ?? lines.at(-1) ?? 'initdb failed';
    throw new StopReason(`PostgreSQL could not make its database: ${reason}`, { cause });
  }
  return password;
}

function settings({ port, durable }: PostgresOptions): string[] {
  const values = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: '',
    max_connections: '200',
    shared_buffers: '128MB',
    timezone: 'UTC',
    log_timezone: 'UTC',
    ...(durable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
  };
  return Object.entries(values).flatMap(([key, value]) => ['-c', `${key}=${value}`]);
}

/**
 * Waits until PostgreSQL takes connections and its database exists, creating that when it does not.
 * @throws Error when `timeoutMs` passes, the process dies or the signal aborts first.
 */
async function waitForPostgres(
  url: string,
  options: { timeoutMs: number; died: Promise<unknown>; signal?: AbortSignal },
): Promise<void> {
  const gone = new AbortController();
  void options.died.then(() => gone.abort(new Error('the process ended')));
  const signals = options.signal ? [gone.signal, options.signal] : [gone.signal];
  await waitUntil(() => createDatabase(url), {
    what: 'PostgreSQL',
    timeoutMs: options.timeoutMs,
    intervalMs: 50,
    signal: AbortSignal.any(signals),
  });
}

async function createDatabase(url: string): Promise<boolean> {
  const maintenance = new URL(url);
  maintenance.pathname = '/postgres';
  const client = new Client({ connectionString: maintenance.href, connectionTimeoutMillis: 2_000 });
  await client.connect();
  try {
    const { rowCount } = await client.query("SELECT 1 FROM pg_database WHERE datname = 'kindred'");
    if (rowCount === 0) await client.query('CREATE DATABASE kindred');
    return true;
  } finally {
    await client.end();
  }
}
