import { createHash } from 'node:crypto';
import { migrateDatabase } from '@kindred/db/migrate';
import { readMigrations } from '@kindred/db/migration-files';
import { Client, escapeIdentifier } from 'pg';

/** The password of kindred_app in tests; one for all runs, since the role belongs to the whole server. */
export const APP_ROLE_PASSWORD = 'kindred-app-in-tests';

/** Taken in the maintenance database, so that one process makes the template while the others wait. */
const TEMPLATE_LOCK = 72_707_370;

/** The name of a database that holds the migrations and nothing else, made when the server has none yet. */
export async function ensureTemplateDatabase(postgresUrl: string): Promise<string> {
  const migrations = await readMigrations();
  const hash = createHash('sha256').update(migrations.map((file) => file.checksum).join('\n'));
  const name = `kindred_template_${hash.digest('hex').slice(0, 12)}`;
  const client = new Client({ connectionString: postgresUrl, application_name: 'kindred-testing' });
  await client.connect();
  try {
    await client.query('SELECT pg_advisory_lock($1)', [TEMPLATE_LOCK]);
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [name]);
    if (rowCount === 0) {
      await createTemplate(client, postgresUrl, name);
    }
    return name;
  } finally {
    await client.end();
  }
}

/** The URL of another database on the same server. */
export function urlOfDatabase(postgresUrl: string, database: string): string {
  const url = new URL(postgresUrl);
  url.pathname = `/${database}`;
  return url.href;
}

/** Renamed once complete: a half-made template is never used. */
async function createTemplate(client: Client, postgresUrl: string, name: string): Promise<void> {
  const draft = `${name}_draft`;
  await client.query(`DROP DATABASE IF EXISTS ${escapeIdentifier(draft)} WITH (FORCE)`);
  await client.query(`CREATE DATABASE ${escapeIdentifier(draft)} TEMPLATE template0`);
  await migrateDatabase(urlOfDatabase(postgresUrl, draft), { appRolePassword: APP_ROLE_PASSWORD });
  await client.query(`ALTER DATABASE ${escapeIdentifier(draft)} RENAME TO ${escapeIdentifier(name)}`);
}
