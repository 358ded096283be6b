import { chmod, chown, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { Client } from 'pg';
import { expect, test } from 'vitest';
import { freePort } from '../ports.ts';
import { startInfrastructure } from '../testing/infrastructure.ts';
import { temporaryDir } from '../testing/temporary-dir.ts';
import { hiddenDir, startPostgres } from './postgres.ts';
import { startRedis } from './redis.ts';
import type { Service } from './service.ts';
import { hasNamespace } from './temporal-namespace.ts';

const STOP_MS = 10_000;

function isAlive(service: Service): boolean {
  try {
    process.kill(service.child?.pid ?? 0, 0);
    return true;
  } catch {
    return false;
  }
}

test('PostgreSQL, Redis and Temporal come up on free ports, answer, and are gone after their stop', async () => {
  const running = await startInfrastructure(() => undefined);
  const { postgresUrl, redisUrl, temporalAddress } = running.urls;
  try {
    const client = new Client({ connectionString: postgresUrl });
    await client.connect();
    const { rows } = await client.query<{ superuser: string }>("SELECT current_setting('is_superuser') AS superuser");
    await client.end();
    expect(rows).toEqual([{ superuser: 'on' }]);
    const redis = new Redis(redisUrl);
    expect(await redis.ping()).toBe('PONG');
    redis.disconnect();
    expect(await hasNamespace(temporalAddress, 'default')).toBe(true);
    expect(await hasNamespace(temporalAddress, 'nowhere')).toBe(false);
  } finally {
    await running.stop();
  }
  await expect(hasNamespace(temporalAddress, 'default')).rejects.toThrow('ECONNREFUSED');
});

test('the password of an embedded PostgreSQL is asked for', async () => {
  await using dir = await temporaryDir();
  const postgres = await startPostgres({
    dir: join(dir.path, 'postgres'),
    port: await freePort(),
    logPath: join(dir.path, 'postgres.log'),
    durable: false,
  });
  const url = new URL(postgres.url);
  url.password = 'guessed';
  await expect(new Client({ connectionString: url.href }).connect()).rejects.toThrow('password authentication failed');
  await postgres.child?.stop(STOP_MS);
  expect(isAlive(postgres)).toBe(false);
});

test('a second start of PostgreSQL finds the data of the first', async () => {
  await using dir = await temporaryDir();
  const options = { dir: join(dir.path, 'postgres'), logPath: join(dir.path, 'postgres.log'), durable: false };
  const query = async (sql: string): Promise<unknown[]> => {
    const service = await startPostgres({ ...options, port: await freePort() });
    const client = new Client({ connectionString: service.url });
    await client.connect();
    const { rows } = await client.query(sql);
    await client.end();
    await service.child?.stop(STOP_MS);
    return rows;
  };
  await query('CREATE TABLE kept AS SELECT 7 AS n');
  expect(await query('SELECT n FROM kept')).toEqual([{ n: 7 }]);
});

test('a Redis in JavaScript serves where there is no redis-server', async () => {
  await using dir = await temporaryDir();
  const service = await startRedis({
    dir: join(dir.path, 'redis'),
    port: await freePort(),
    logPath: join(dir.path, 'redis.log'),
    pureJavaScript: true,
  });
  const redis = new Redis(service.url);
  await redis.set('who', 'js');
  expect([service.origin, await redis.get('who')]).toEqual(['js-redis-server', 'js']);
  redis.disconnect();
  await service.child?.stop(STOP_MS);
  expect(isAlive(service)).toBe(false);
});

test('a server that cannot start says so with its log', async () => {
  await using dir = await temporaryDir();
  const port = await freePort();
  const first = await startRedis({ dir: join(dir.path, 'a'), port, logPath: join(dir.path, 'a.log') });
  const postgres = { dir: join(dir.path, 'p'), port, logPath: join(dir.path, 'p.log'), durable: false };
  await expect(startPostgres(postgres)).rejects.toThrow(/PostgreSQL did not start: see .*p\.log\./);
  await first.child?.stop(STOP_MS);
});

const IS_ROOT = process.getuid?.() === 0;

test.skipIf(!IS_ROOT)(
  'as root, PostgreSQL runs from /var/tmp where its user cannot reach the state folder',
  async () => {
    await using dir = await temporaryDir();
    await chmod(dir.path, 0o700);
    const wanted = join(dir.path, 'postgres');
    const options = { dir: wanted, port: await freePort(), logPath: join(dir.path, 'log'), durable: false };
    try {
      const service = await startPostgres(options);
      await service.child?.stop(STOP_MS);
      expect((await stat(join(hiddenDir(wanted), 'data'))).mode & 0o777).toBe(0o700);
      await chown(hiddenDir(wanted), 65_534, 65_534);
      await expect(startPostgres(options)).rejects.toThrow(
        `${hiddenDir(wanted)} is not ours: remove it and start again.`,
      );
    } finally {
      await rm(hiddenDir(wanted), { recursive: true, force: true });
    }
  },
);
