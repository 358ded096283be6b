import type { Client } from 'pg';

/** The tenant of the transaction, as PostgreSQL prints it in policies. */
const TENANT_OF_TRANSACTION = `( SELECT (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid AS "nullif")`;

/** What every policy of a tenant's table has to say, of rows that are read and of rows that are written. */
export const TENANT_CONDITION = `(tenant_id = ${TENANT_OF_TRANSACTION})`;

/** The tables of ours that hold no tenant's rows. `accounts` and `tenants` have policies of their own shape. */
const TABLES_OF_NO_TENANT = ['_prisma_migrations', 'accounts', 'operators', 'tenants'];

/**
 * Everything in the catalogue by which a row of one tenant could be seen, written or pointed at from another, as sentences:
 * a table without ENABLE and FORCE, a policy that is missing, too many, or without its USING or WITH CHECK, a key or a
 * foreign key without the tenant, and a right that the application should not have.
 */
export async function findIsolationGaps(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ gap: string }>(
    `WITH tables AS (
       SELECT c.oid, c.relname AS name, c.relrowsecurity AS enabled, c.relforcerowsecurity AS forced, c.relispartition AS part,
              c.relname = ANY ($1) AS "ofNone"
         FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
     ), condition AS (SELECT $2::text AS wanted, $3::text AS tenant
     ), policies AS (
       SELECT p.tablename AS name, count(*) AS count,
              bool_and(p.permissive = 'PERMISSIVE' AND p.cmd = 'ALL' AND p.qual = wanted AND p.with_check = wanted) AS right
         FROM pg_policies p, condition WHERE 'kindred_app' = ANY (p.roles) OR 'public' = ANY (p.roles) GROUP BY p.tablename
     ), columns AS (
       SELECT k.conrelid, k.conname, k.contype, k.confrelid,
              array(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY u (n, o) JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.n ORDER BY u.o) AS keys,
              array(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY u (n, o) JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.n ORDER BY u.o) AS refs
         FROM pg_constraint k WHERE k.connamespace = 'public'::regnamespace AND k.contype IN ('p', 'f')
     )
     SELECT name || ' does not ENABLE row-level security' AS gap FROM tables WHERE NOT enabled AND name <> '_prisma_migrations'
     UNION ALL SELECT name || ' does not FORCE row-level security' FROM tables WHERE NOT forced AND name <> '_prisma_migrations'
     UNION ALL SELECT t.name || ' has not exactly one policy for the application with the right USING and WITH CHECK'
       FROM tables t LEFT JOIN policies p USING (name) WHERE NOT t."ofNone" AND NOT t.part AND (p.count IS DISTINCT FROM 1 OR NOT p.right)
     UNION ALL SELECT t.name || ' has no primary key that begins with tenant_id'
       FROM tables t WHERE NOT t."ofNone" AND NOT EXISTS (SELECT FROM columns c WHERE c.conrelid = t.oid AND c.contype = 'p' AND c.keys[1] = 'tenant_id')
     UNION ALL SELECT t.name || ': the foreign key ' || c.conname || ' does not carry tenant_id on both sides'
       FROM tables t JOIN columns c ON c.conrelid = t.oid AND c.contype = 'f' JOIN tables f ON f.oid = c.confrelid
      WHERE NOT t."ofNone" AND NOT f."ofNone" AND (c.keys[1] <> 'tenant_id' OR c.refs[1] <> 'tenant_id')
     UNION ALL SELECT 'tenants has no policy that shows and takes the own row alone' FROM (SELECT 1) one WHERE NOT EXISTS (
       SELECT FROM pg_policies p, condition WHERE p.tablename = 'tenants' AND p.roles = '{kindred_app}' AND p.cmd = 'ALL'
          AND p.qual = replace(wanted, 'tenant_id =', 'id =') AND p.with_check = replace(wanted, 'tenant_id =', 'id ='))
     UNION ALL SELECT 'accounts has not exactly one policy for the application, which shows members' FROM (SELECT 1) one WHERE (
       SELECT count(*) FILTER (WHERE p.cmd = 'SELECT' AND strpos(p.qual, 'm.account_id = accounts.id') > 0 AND strpos(p.qual, 'm.tenant_id = ' || tenant) > 0) * 10 + count(*)
         FROM pg_policies p, condition WHERE p.tablename = 'accounts' AND 'kindred_app' = ANY (p.roles)) <> 11
     UNION ALL SELECT 'the application has a right on ' || name FROM tables
      WHERE (name IN ('_prisma_migrations', 'operators') OR part)
        AND (has_any_column_privilege('kindred_app', oid, 'SELECT, INSERT, UPDATE') OR has_table_privilege('kindred_app', oid, 'DELETE, TRUNCATE'))
     UNION ALL SELECT 'the application has a right on accounts' WHERE has_column_privilege('kindred_app', 'accounts', 'password_hash', 'SELECT, INSERT, UPDATE')
     UNION ALL SELECT 'the role ' || r.rolname || ' can step around row-level security' FROM pg_roles r
      WHERE r.rolname LIKE 'kindred\\_%' AND (r.rolsuper OR r.rolbypassrls OR EXISTS (SELECT FROM pg_class WHERE relowner = r.oid))
     ORDER BY 1`,
    [TABLES_OF_NO_TENANT, TENANT_CONDITION, TENANT_OF_TRANSACTION],
  );
  return rows.map(({ gap }) => gap);
}

/** Every way to take away one piece of the isolation: a sentence and the statement that does it. */
export async function listSabotages(client: Client): Promise<{ name: string; statement: string }[]> {
  const { rows } = await client.query<{ name: string; statement: string }>(
    `WITH tables AS (
       SELECT c.oid, c.relname AS name, c.relispartition AS part FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND c.relname <> '_prisma_migrations'
     ), policies AS (
       SELECT tablename, policyname, cmd FROM pg_policies WHERE 'kindred_app' = ANY (roles)
     )
     SELECT format('dropping the policy %s of %s', policyname, tablename) AS name, format('DROP POLICY %I ON %I', policyname, tablename) AS statement FROM policies
     UNION ALL SELECT format('opening USING of %s', tablename), format('ALTER POLICY %I ON %I USING (true)', policyname, tablename) FROM policies
     UNION ALL SELECT format('opening WITH CHECK of %s', tablename), format('ALTER POLICY %I ON %I WITH CHECK (true)', policyname, tablename) FROM policies WHERE cmd = 'ALL'
     UNION ALL SELECT format('a second, open policy on %s', tablename), format('CREATE POLICY hole ON %I TO kindred_app USING (true)', tablename) FROM policies WHERE tablename <> 'tenants'
     UNION ALL SELECT format('NO FORCE on %s', name), format('ALTER TABLE %I NO FORCE ROW LEVEL SECURITY', name) FROM tables
     UNION ALL SELECT format('DISABLE on %s', name), format('ALTER TABLE %I DISABLE ROW LEVEL SECURITY', name) FROM tables
     UNION ALL SELECT format('a right on the partition %s', name), format('GRANT SELECT ON %I TO kindred_app', name) FROM tables WHERE part`,
  );
  return rows;
}
