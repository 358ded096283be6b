-- Every policy asks for it once a statement, as `(SELECT current_tenant_id())`. In SQL its body was read from the catalogue and
-- planned anew for each table of each statement, which took longer than the check itself; in PL/pgSQL it is compiled once for
-- a connection. Without the SELECT it would be a condition of each row (`npm run bench:isolation`).
CREATE OR REPLACE FUNCTION current_tenant_id() RETURNS uuid LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
  -- After COMMIT a transaction-local setting reads '' on a pooled connection, not NULL.
  RETURN nullif(current_setting('app.tenant_id', true), '')::uuid;
END $$;
