/** What the migration command is told. */
export interface MigrationEnv {
  migrationDatabaseUrl: string;
  appRolePassword: string | undefined;
}

/** @throws Error when MIGRATION_DATABASE_URL is missing. */
export function readMigrationEnv(): Readonly<MigrationEnv> {
  const { MIGRATION_DATABASE_URL: migrationDatabaseUrl, APP_ROLE_PASSWORD: appRolePassword } = process.env;
  if (migrationDatabaseUrl === undefined || migrationDatabaseUrl === '') {
    throw new Error('MIGRATION_DATABASE_URL is not set: wanted the URL of the database as its owner.');
  }
  return Object.freeze({ migrationDatabaseUrl, appRolePassword: appRolePassword || undefined });
}

/** The environment in which Prisma's command line takes `file` for its engine, and reports to nobody. */
export function prismaCliEnv(file: string): NodeJS.ProcessEnv {
  return {
    ...process.env,
    PRISMA_SCHEMA_ENGINE_BINARY: file,
    PRISMA_HIDE_UPDATE_MESSAGE: '1',
    CHECKPOINT_DISABLE: '1',
  };
}
