import { createTestDatabase } from '@kindred/testing/test-database';
import { createTwoTenants } from '@kindred/testing/two-tenants';
import { Client } from 'pg';
import { describe, expect, test } from 'vitest';
import { TENANT_CONDITION } from './test-isolation-gaps.ts';

/** The tables of ours that hold no tenant's rows. */
const TABLES_OF_NO_TENANT = ['_prisma_migrations', 'accounts', 'operators', 'tenants'];

const FUNCTIONS_ACROSS_TENANTS = [
  'auth_accept_invitation',
  'auth_end_session',
  'auth_end_sessions',
  'auth_find_api_key',
  'auth_find_sign_in',
  'auth_is_operator',
  'auth_refresh_session',
  'auth_sign_up',
  'outbox_tenants',
  'retention_tenants',
];

/** Triggers that count what tenants store and use, each in the rows of the tenant that its own row names. */
const COUNTING_FUNCTIONS = ['count_spent', 'count_stored', 'count_training', 'count_tuning'];

async function catalogue<Row extends object>(text: string): Promise<Row[]> {
  await using database = await createTestDatabase();
  const client = new Client({ connectionString: database.ownerUrl });
  await client.connect();
  try {
    return (await client.query<Row>(text)).rows;
  } finally {
    await client.end();
  }
}

describe('the database', () => {
  test('forces row-level security on every table but the record of its migrations', async () => {
    const rows = await catalogue<{ name: string; enabled: boolean; forced: boolean }>(`
      SELECT relname AS name, relrowsecurity AS enabled, relforcerowsecurity AS forced FROM pg_class
       WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND relname <> '_prisma_migrations'`);
    expect(rows.length).toBeGreaterThan(19);
    expect(rows.filter((row) => !row.enabled || !row.forced)).toEqual([]);
  });

  test('lets kindred_app at each table of a tenant through one policy that reads and writes by tenant_id', async () => {
    const rows = await catalogue<{ name: string; policies: string[]; columns: number }>(`
      SELECT c.relname AS name,
             (SELECT count(*)::int FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id') AS columns,
             array(SELECT p.policyname || ': ' || p.cmd || ' ' || p.qual || ' / ' || p.with_check FROM pg_policies p
                    WHERE p.tablename = c.relname AND ('kindred_app' = ANY (p.roles) OR 'public' = ANY (p.roles))) AS policies
        FROM pg_class c
       WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition`);
    const ofTenants = rows.filter((row) => !TABLES_OF_NO_TENANT.includes(row.name));
    for (const row of ofTenants) {
      expect(row).toEqual({
        name: row.name,
        columns: 1,
        policies: [`tenant_isolation: ALL ${TENANT_CONDITION} / ${TENANT_CONDITION}`],
      });
    }
    expect(ofTenants.length).toBe(rows.length - TABLES_OF_NO_TENANT.length);
  });

  test('gives kindred_app no right on partitions, on the record of migrations and on password digests', async () => {
    const rows = await catalogue<{ object: string }>(`
      SELECT table_name || '.' || column_name AS object FROM information_schema.column_privileges
       WHERE grantee IN ('kindred_app', 'PUBLIC') AND table_schema = 'public'
         AND (table_name LIKE 'interactions\\_p%' OR table_name = '_prisma_migrations' OR column_name = 'password_hash')`);
    expect(rows).toEqual([]);
  });

  test('has roles that cannot step around it', async () => {
    const rows = await catalogue<{ name: string }>(`
      SELECT rolname AS name, rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication AS strong,
             EXISTS (SELECT FROM pg_class WHERE relowner = r.oid) AS owner, rolcanlogin AS login,
             array(SELECT g.rolname::text FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid WHERE m.member = r.oid)
               AS "memberOf"
        FROM pg_roles r WHERE rolname LIKE 'kindred\\_%' ORDER BY rolname`);
    expect(rows).toEqual([
      { name: 'kindred_app', strong: false, owner: false, login: true, memberOf: [] },
      { name: 'kindred_audit', strong: false, owner: false, login: false, memberOf: [] },
      { name: 'kindred_auth', strong: false, owner: false, login: false, memberOf: [] },
      { name: 'kindred_retention', strong: false, owner: false, login: false, memberOf: [] },
      { name: 'kindred_usage', strong: false, owner: false, login: false, memberOf: [] },
    ]);
  });

  test('runs with rights of its own exactly the functions that look across tenants, count, or write the audit log, with a fixed search path', async () => {
    const rows = await catalogue<{ name: string }>(`
      SELECT p.proname AS name, r.rolname AS owner, array_to_string(p.proconfig, ';') AS config,
             has_function_privilege('public', p.oid, 'EXECUTE') AS public
        FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner
       WHERE p.pronamespace = 'public'::regnamespace AND p.prosecdef ORDER BY p.proname`);
    const config = 'search_path=pg_catalog, public';
    const wanted = [
      ...FUNCTIONS_ACROSS_TENANTS.map((name) => ({ name, owner: 'kindred_auth', config, public: false })),
      ...COUNTING_FUNCTIONS.map((name) => ({ name, owner: 'kindred_usage', config, public: false })),
      { name: 'audit_append', owner: 'kindred_audit', config, public: false },
      { name: 'audit_prune', owner: 'kindred_retention', config, public: false },
    ];
    expect(rows).toEqual(wanted.toSorted((left, right) => (left.name < right.name ? -1 : 1)));
  });

  test('refuses kindred_app what it has no right to, inside a tenant as well', async () => {
    await using world = await createTwoTenants();
    for (const text of [
      'SELECT password_hash FROM accounts',
      'SELECT * FROM interactions_p0',
      'SELECT * FROM _prisma_migrations',
      `INSERT INTO tenants (id, name, slug) VALUES ('${crypto.randomUUID()}', 'x', 'x')`,
      'DELETE FROM tenants',
      'CREATE TABLE mine (id int)',
      'SET ROLE kindred_auth',
      'ALTER TABLE items DISABLE ROW LEVEL SECURITY',
    ]) {
      await expect(world.db.pool.query(text), text).rejects.toThrow(/permission denied|must be owner/);
    }
  });
});
