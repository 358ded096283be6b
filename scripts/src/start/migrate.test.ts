import { join } from 'node:path';
import { Client } from 'pg';
import { expect, test } from 'vitest';
import { freePort } from '../ports.ts';
import { startPostgres } from '../services/postgres.ts';
import { temporaryDir } from '../testing/temporary-dir.ts';
import { migrate } from './migrate.ts';
import { openSecrets } from './secrets.ts';
import { showBoard } from './show-board.ts';

const board = showBoard({ write: () => true });

test('the application signs in to a migrated database as a role that is not its owner', async () => {
  await using dir = await temporaryDir();
  const secrets = openSecrets(join(dir.path, 'secrets.json'));
  const port = await freePort();
  const service = await startPostgres({
    dir: join(dir.path, 'postgres'),
    port,
    logPath: join(dir.path, 'log'),
    durable: false,
  });
  try {
    const urls = { migrationUrl: service.url, databaseUrl: null, redisUrl: '', temporalAddress: '' };
    const client = new Client({ connectionString: await migrate(urls, secrets, board) });
    await client.connect();
    const { rows } = await client.query(
      'SELECT current_user AS name, rolsuper AS super FROM pg_roles WHERE rolname = current_user',
    );
    await client.end();
    expect(rows).toEqual([{ name: 'kindred_app', super: false }]);

    const owner = new Client({ connectionString: service.url });
    await owner.connect();
    await owner.query(`INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at, applied_steps_count)
      VALUES ('x', 'y', '29991231000000_from_the_future', now(), 1)`);
    await owner.end();
    await expect(migrate(urls, secrets, board)).rejects.toThrow(
      'The database is newer than this code: it holds 29991231000000_from_the_future. Run a newer version.',
    );
  } finally {
    await service.child?.stop(10_000);
  }
});
