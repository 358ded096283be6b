import { migrateDatabase } from '../migrate.ts';
import { readMigrationEnv } from './env.ts';

try {
  const { migrationDatabaseUrl, appRolePassword } = readMigrationEnv();
  const { applied } = await migrateDatabase(
    migrationDatabaseUrl,
    appRolePassword === undefined ? {} : { appRolePassword },
  );
  process.stdout.write(`${applied.length === 0 ? 'The database is up to date.' : `Applied ${applied.join(', ')}.`}\n`);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
