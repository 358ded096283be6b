import { migrateDatabase } from '@kindred/db/migrate';
import { StopReason } from '../report-error.ts';
import type { Secrets } from './secrets.ts';
import type { Board } from './show-board.ts';
import type { ServiceUrls } from './start-services.ts';

const TITLE = 'database';
const APP_ROLE = 'kindred_app';

/**
 * Brings the database up to this code's migrations where we have its owner's URL.
 * @returns the URL for the application's role
 * @throws StopReason when the database is newer than this code or a migration fails.
 */
export async function migrate(urls: ServiceUrls, secrets: Secrets, board: Board): Promise<string> {
  if (urls.migrationUrl === null) {
    board.set(TITLE, { kind: 'external' }, 'not migrated: MIGRATION_DATABASE_URL is not set');
    return appUrlOf(urls, secrets);
  }
  board.set(TITLE, { kind: 'working', what: 'migrating' });
  const databaseUrl = appUrlOf(urls, secrets);
  const { username, password } = new URL(databaseUrl);
  const login = username === APP_ROLE && password !== '' ? { appRolePassword: decodeURIComponent(password) } : {};
  try {
    const { applied } = await migrateDatabase(urls.migrationUrl, login);
    const note =
      applied.length === 0 ? 'up to date' : `${applied.length} migration${applied.length > 1 ? 's' : ''} run`;
    board.set(TITLE, { kind: 'external' }, note);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    board.set(TITLE, { kind: 'failed', reason });
    throw new StopReason(reason, { cause });
  }
  return databaseUrl;
}

function appUrlOf({ databaseUrl, migrationUrl }: ServiceUrls, secrets: Secrets): string {
  if (databaseUrl !== null) return databaseUrl;
  if (migrationUrl === null) throw new StopReason('There is no database to use: set DATABASE_URL.');
  const url = new URL(migrationUrl);
  url.username = APP_ROLE;
  url.password = secrets.appRolePassword;
  return url.href;
}
