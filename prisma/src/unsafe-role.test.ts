import { openOwnerSession } from '@kindred/testing/owner-session';
import { createTestDatabase } from '@kindred/testing/test-database';
import { expect, test } from 'vitest';
import { connectDb, UnsafeDatabaseRoleError } from './client.ts';

test.each([
  ['is a superuser, owns tables', 'ALTER ROLE $role SUPERUSER'],
  ['has BYPASSRLS', 'ALTER ROLE $role BYPASSRLS'],
  ['owns tables', 'GRANT CREATE ON SCHEMA public TO $role; ALTER TABLE outbox OWNER TO $role'],
])('no server starts as a role that %s, whatever else it may', async (reason, statement) => {
  await using database = await createTestDatabase();
  await using owner = await openOwnerSession(database.ownerUrl);
  const role = `unsafe_${crypto.randomUUID().slice(0, 8)}`;
  await owner.query(`CREATE ROLE ${role} LOGIN PASSWORD '${role}'`);
  try {
    const url = new URL(database.ownerUrl);
    [url.username, url.password] = [role, role];
    await using safe = await connectDb({ url: url.href, applicationName: 'test' });
    await safe.ping();
    await owner.query(statement.replaceAll('$role', role));
    const refused = connectDb({ url: url.href, applicationName: 'test' });
    await expect(refused).rejects.toThrow(`The database role "${role}" ${reason}, so row-level security`);
    await expect(refused).rejects.toBeInstanceOf(UnsafeDatabaseRoleError);
  } finally {
    await owner.query(`ALTER TABLE outbox OWNER TO CURRENT_USER; DROP OWNED BY ${role}; DROP ROLE ${role}`);
  }
});
