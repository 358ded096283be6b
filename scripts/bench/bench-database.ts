import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrateDatabase } from '@kindred/db/migrate';
import { freePort } from '../src/ports.ts';
import type { Child } from '../src/processes/start-child.ts';
import { hiddenDir, startPostgres } from '../src/services/postgres.ts';

/** A migrated PostgreSQL of a benchmark's own. */
export interface BenchDatabase extends AsyncDisposable {
  /** As its owner, whom no policy holds. */
  ownerUrl: string;
  /** As the role of the application. */
  appUrl: string;
  child: Child | null;
}

export async function startBenchDatabase(): Promise<BenchDatabase> {
  const dir = await mkdtemp(join(tmpdir(), 'kindred-bench-'));
  await chmod(dir, 0o755); // PostgreSQL may run as another user
  const folder = join(dir, 'postgres');
  const options = { dir: folder, logPath: join(dir, 'postgres.log'), port: await freePort(), durable: false };
  const { url: ownerUrl, child } = await startPostgres(options);
  const stop = async () => {
    await child?.stop(10_000);
    await rm(dir, { recursive: true, force: true });
    await rm(hiddenDir(folder), { recursive: true, force: true });
  };
  const appRolePassword = randomBytes(18).toString('base64url');
  try {
    await migrateDatabase(ownerUrl, { appRolePassword });
  } catch (error) {
    await stop();
    throw error;
  }
  const app = new URL(ownerUrl);
  app.username = 'kindred_app';
  app.password = appRolePassword;
  return { ownerUrl, appUrl: app.href, child, [Symbol.asyncDispose]: stop };
}
