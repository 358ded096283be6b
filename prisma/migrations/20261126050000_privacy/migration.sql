-- A user of a tenant who is to be forgotten. `subject` is a keyed hash of the tenant's own id of the user: the id itself is
-- there only until the erasure is sealed. `user_id` stays: it names nobody any more, and is what proofs look for.
CREATE TABLE erasures (
  tenant_id uuid NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
  id uuid NOT NULL,
  subject bytea NOT NULL,
  external_id text,
  user_id uuid,
  retrain boolean NOT NULL,
  requested_by jsonb NOT NULL,
  leftovers jsonb,
  requested_at timestamptz(3) NOT NULL DEFAULT now(),
  gone_at timestamptz(3),
  sealed_at timestamptz(3),
  receipt_hash bytea,
  PRIMARY KEY (tenant_id, id),
  CHECK (sealed_at IS NULL OR external_id IS NULL)
);

CREATE TYPE erasure_store AS ENUM ('POSTGRES', 'REDIS', 'MODEL_VERSION', 'INDEX', 'SERVING_MEMORY', 'RUN_FILES', 'EXPORT_FILES');

-- What was erased where. Each line carries the hash of the one before it; the last one is told in the audit log.
CREATE TABLE erasure_receipts (
  tenant_id uuid NOT NULL,
  erasure_id uuid NOT NULL,
  sequence integer NOT NULL,
  store erasure_store NOT NULL,
  scope text NOT NULL,
  row_count integer NOT NULL,
  erased_at timestamptz(3) NOT NULL,
  evidence bytea NOT NULL,
  hash bytea NOT NULL,
  PRIMARY KEY (tenant_id, erasure_id, sequence),
  UNIQUE (tenant_id, erasure_id, store, scope),
  FOREIGN KEY (tenant_id, erasure_id) REFERENCES erasures (tenant_id, id) ON DELETE CASCADE
);

-- A copy of everything that is kept of a user, for as long as it may be fetched.
CREATE TABLE user_exports (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  user_id uuid NOT NULL,
  valid_minutes integer NOT NULL,
  requested_at timestamptz(3) NOT NULL DEFAULT now(),
  finished_at timestamptz(3),
  expires_at timestamptz(3),
  archive_key text,
  sha256 bytea,
  size_bytes integer,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX user_exports_user_idx ON user_exports (tenant_id, user_id);

-- How long a tenant keeps what; null: for ever.
CREATE TABLE retention_policies (
  tenant_id uuid PRIMARY KEY REFERENCES tenants (id) ON DELETE CASCADE,
  interaction_days integer,
  version_days integer,
  updated_at timestamptz(3) NOT NULL DEFAULT now()
);

DO $$
DECLARE name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['erasures', 'erasure_receipts', 'user_exports', 'retention_policies'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY tenant_isolation ON %I TO kindred_app USING (tenant_id = (SELECT current_tenant_id())) WITH CHECK (tenant_id = (SELECT current_tenant_id()))', name);
  END LOOP;
END $$;
GRANT SELECT, INSERT, UPDATE ON erasures TO kindred_app;
-- A line of a receipt is never changed or deleted.
GRANT SELECT, INSERT ON erasure_receipts TO kindred_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON user_exports, retention_policies TO kindred_app;

-- The tenants that keep something for a limited time only; nothing else of them.
GRANT SELECT (tenant_id) ON retention_policies TO kindred_auth;
CREATE POLICY retention ON retention_policies FOR SELECT TO kindred_auth USING (true);
CREATE FUNCTION retention_tenants() RETURNS TABLE (tenant_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public BEGIN ATOMIC
  SELECT r.tenant_id FROM public.retention_policies r ORDER BY r.tenant_id;
END;
GRANT CREATE ON SCHEMA public TO kindred_auth;
ALTER FUNCTION retention_tenants OWNER TO kindred_auth;
REVOKE CREATE ON SCHEMA public FROM kindred_auth;
REVOKE ALL ON FUNCTION retention_tenants FROM PUBLIC;
GRANT EXECUTE ON FUNCTION retention_tenants TO kindred_app;
