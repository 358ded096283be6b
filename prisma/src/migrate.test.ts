import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createTestDatabase } from '@kindred/testing/test-database';
import { Client } from 'pg';
import { describe, expect, test } from 'vitest';
import { connectDb } from './client.ts';
import { DatabaseNewerThanCodeError, EditedMigrationError, FailedMigrationError, migrateDatabase } from './migrate.ts';
import { readMigrations } from './migration-files.ts';

/** A copy of the migrations with more of them, in a folder of its own. */
async function createMigrations(more: Record<string, string>): Promise<AsyncDisposable & { dir: string }> {
  const dir = await mkdtemp(path.join(tmpdir(), 'kindred-migrations-'));
  const files = await readMigrations();
  const scripts = { ...Object.fromEntries(files.map((file) => [file.name, file.script])), ...more };
  for (const [name, script] of Object.entries(scripts)) {
    await mkdir(path.join(dir, name));
    await writeFile(path.join(dir, name, 'migration.sql'), script);
  }
  return { dir, [Symbol.asyncDispose]: () => rm(dir, { recursive: true }) };
}

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

describe('migrateDatabase', () => {
  test('does nothing on a database that is up to date', async () => {
    await using database = await createTestDatabase();
    const before = await query(database.ownerUrl, 'SELECT * FROM _prisma_migrations');
    expect(await migrateDatabase(database.ownerUrl)).toEqual({ applied: [] });
    expect(await query(database.ownerUrl, 'SELECT * FROM _prisma_migrations')).toEqual(before);
  });

  test('applies a migration once when several runners start together', async () => {
    await using database = await createTestDatabase();
    await using migrations = await createMigrations({ '20990101000000_next': 'CREATE TABLE nexts (id int);' });
    const options = { migrationsDir: migrations.dir };
    const results = await Promise.all(Array.from({ length: 5 }, () => migrateDatabase(database.ownerUrl, options)));
    expect(results.flatMap((result) => result.applied)).toEqual(['20990101000000_next']);
  });

  test('leaves the record that Prisma expects', async () => {
    await using database = await createTestDatabase();
    const files = await readMigrations();
    const rows = await query(
      database.ownerUrl,
      `SELECT migration_name, checksum, applied_steps_count, logs, rolled_back_at, finished_at >= started_at AS finished
         FROM _prisma_migrations ORDER BY migration_name`,
    );
    expect(rows).toEqual(
      files.map(({ name, checksum }) => ({
        migration_name: name,
        checksum,
        applied_steps_count: 1,
        logs: null,
        rolled_back_at: null,
        finished: true,
      })),
    );
  });

  test('refuses a database that is newer than the code', async () => {
    await using database = await createTestDatabase();
    await using newer = await createMigrations({ '20990101000000_next': 'CREATE TABLE nexts (id int);' });
    await migrateDatabase(database.ownerUrl, { migrationsDir: newer.dir });
    const older = migrateDatabase(database.ownerUrl);
    await expect(older).rejects.toThrow(DatabaseNewerThanCodeError);
    await expect(older).rejects.toThrow(/20990101000000_next/);
  });

  test('undoes a migration that fails, says why, and then blocks until someone has looked', async () => {
    await using database = await createTestDatabase();
    await using broken = await createMigrations({
      '20990101000000_broken': 'CREATE TABLE halves (id int); SELECT 1 / 0;',
    });
    const options = { migrationsDir: broken.dir };
    await expect(migrateDatabase(database.ownerUrl, options)).rejects.toThrow(
      /20990101000000_broken.*division by zero/,
    );
    expect(await query(database.ownerUrl, "SELECT to_regclass('halves') AS halves")).toEqual([{ halves: null }]);
    await expect(migrateDatabase(database.ownerUrl, options)).rejects.toThrow(FailedMigrationError);

    await query(database.ownerUrl, 'UPDATE _prisma_migrations SET rolled_back_at = now() WHERE finished_at IS NULL');
    expect(await migrateDatabase(database.ownerUrl)).toEqual({ applied: [] });
  });

  test('refuses a migration that was changed after it ran', async () => {
    await using database = await createTestDatabase();
    const [file] = await readMigrations();
    await using edited = await createMigrations({ [file?.name ?? '']: `${file?.script}\n-- changed` });
    const run = migrateDatabase(database.ownerUrl, { migrationsDir: edited.dir });
    await expect(run).rejects.toThrow(EditedMigrationError);
  });
});

describe('connectDb', () => {
  test('refuses a role that row-level security does not hold', async () => {
    await using database = await createTestDatabase();
    const connection = connectDb({ url: database.ownerUrl, applicationName: 'test' });
    await expect(connection).rejects.toThrow(/is a superuser.*owns tables/);
  });

  test('answers a ping while the database is there', async () => {
    await using database = await createTestDatabase();
    await expect(database.db.ping()).resolves.toBeUndefined();
  });

  test('goes on after the server has closed its idle connections', async () => {
    await using database = await createTestDatabase();
    await database.db.ping();
    await query(
      database.ownerUrl,
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'kindred_app' AND datname = current_database()",
    );
    await expect.poll(() => database.db.pool.totalCount).toBe(0);
    await expect(database.db.ping()).resolves.toBeUndefined();
  });
});
