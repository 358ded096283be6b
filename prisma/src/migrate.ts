import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { type MigrationFile, readMigrations } from './migration-files.ts';

/** The advisory lock under which Prisma's own engine migrates. */
const MIGRATION_LOCK = 72_707_369;

/** As Prisma's engine creates it, so that either can go on where the other stopped. */
const CREATE_MIGRATIONS_TABLE = `
  CREATE TABLE IF NOT EXISTS _prisma_migrations (
    id VARCHAR(36) PRIMARY KEY NOT NULL,
    checksum VARCHAR(64) NOT NULL,
    finished_at TIMESTAMPTZ,
    migration_name VARCHAR(255) NOT NULL,
    logs TEXT,
    rolled_back_at TIMESTAMPTZ,
    started_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    applied_steps_count INTEGER NOT NULL DEFAULT 0
  )`;

/** The database holds migrations that this code does not have. */
export class DatabaseNewerThanCodeError extends Error {
  override readonly name = 'DatabaseNewerThanCodeError';
}

/** A migration failed, now or before; nothing runs until someone has looked. */
export class FailedMigrationError extends Error {
  override readonly name = 'FailedMigrationError';
}

/** A migration was changed after the database had run it. */
export class EditedMigrationError extends Error {
  override readonly name = 'EditedMigrationError';
}

interface AppliedMigration {
  name: string;
  checksum: string;
  finished: boolean;
  logs: string | null;
}

/**
 * Brings the database up to this code's migrations, each in a transaction of its own, one runner at a time; then lets
 * kindred_app sign in with `appRolePassword` if given.
 * @throws DatabaseNewerThanCodeError, FailedMigrationError, EditedMigrationError
 */
export async function migrateDatabase(
  ownerUrl: string,
  options: { appRolePassword?: string; migrationsDir?: string } = {},
): Promise<{ applied: string[] }> {
  const files = await readMigrations(options.migrationsDir);
  const client = new Client({ connectionString: ownerUrl, application_name: 'kindred-migrate' });
  await client.connect();
  try {
    await client.query("SET lock_timeout = '60s'");
    await client.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await client.query(CREATE_MIGRATIONS_TABLE);
    const pending = findPending(files, await readApplied(client));
    for (const file of pending) {
      await applyMigration(client, file);
    }
    if (options.appRolePassword !== undefined) {
      await client.query(`ALTER ROLE kindred_app LOGIN PASSWORD ${client.escapeLiteral(options.appRolePassword)}`);
    }
    return { applied: pending.map((file) => file.name) };
  } finally {
    await client.end();
  }
}

async function readApplied(client: Client): Promise<AppliedMigration[]> {
  const { rows } = await client.query<AppliedMigration>(`
    SELECT migration_name AS name, checksum, finished_at IS NOT NULL AS finished, logs
      FROM _prisma_migrations WHERE rolled_back_at IS NULL ORDER BY started_at`);
  return rows;
}

function findPending(files: readonly MigrationFile[], applied: readonly AppliedMigration[]): MigrationFile[] {
  const failed = applied.find((row) => !row.finished);
  if (failed !== undefined) {
    throw new FailedMigrationError(
      `The migration ${failed.name} failed or was interrupted before: ${failed.logs ?? 'it left no message'}. ` +
        'Set its rolled_back_at in _prisma_migrations once the cause is gone.',
    );
  }
  const known = new Map(files.map((file) => [file.name, file]));
  const unknown = applied.filter((row) => !known.has(row.name)).map((row) => row.name);
  if (unknown.length > 0) {
    throw new DatabaseNewerThanCodeError(
      `The database is newer than this code: it holds ${unknown.join(', ')}. Run a newer version.`,
    );
  }
  const edited = applied.find((row) => known.get(row.name)?.checksum !== row.checksum);
  if (edited !== undefined) {
    throw new EditedMigrationError(
      `The migration ${edited.name} was changed after this database ran it: wanted checksum ${edited.checksum}.`,
    );
  }
  const done = new Set(applied.map((row) => row.name));
  return files.filter((file) => !done.has(file.name));
}

async function applyMigration(client: Client, file: MigrationFile): Promise<void> {
  const id = randomUUID();
  await client.query('INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ($1, $2, $3)', [
    id,
    file.checksum,
    file.name,
  ]);
  try {
    // Without parameters this is one simple query: PostgreSQL runs the whole script in one transaction.
    await client.query(file.script);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    await client.query('UPDATE _prisma_migrations SET logs = $2 WHERE id = $1', [id, reason]);
    throw new FailedMigrationError(`The migration ${file.name} failed: ${reason}`, { cause });
  }
  await client.query('UPDATE _prisma_migrations SET finished_at = now(), applied_steps_count = 1 WHERE id = $1', [id]);
}
