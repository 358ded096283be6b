-- Policies say themselves what `current_tenant_id` says: it was called once for each table of each statement, and a call into
-- PL/pgSQL takes longer than the built-in functions that it would call (`npm run bench:isolation` measures the whole of
-- row-level security). After COMMIT a transaction-local setting reads '' on a pooled connection, not NULL.
DO $$
DECLARE
  policy record;
  called CONSTANT text := 'current_tenant_id() AS current_tenant_id';
  said CONSTANT text := 'nullif(current_setting(''app.tenant_id'', true), '''')::uuid';
BEGIN
  FOR policy IN
    SELECT tablename, policyname, replace(qual, called, said) AS qual, replace(with_check, called, said) AS with_check
      FROM pg_policies WHERE schemaname = 'public' AND concat(qual, with_check) LIKE '%' || called || '%'
  LOOP
    EXECUTE format('ALTER POLICY %I ON %I', policy.policyname, policy.tablename)
      || coalesce(' USING (' || policy.qual || ')', '')
      || coalesce(' WITH CHECK (' || policy.with_check || ')', '');
  END LOOP;
END $$;
