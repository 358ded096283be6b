-- The application signs in as kindred_app, which owns nothing and is subject to row-level security.
-- kindred_auth can sign in nowhere: it owns the three functions that must look across tenants before a tenant is known.
-- Roles belong to the whole server: another database may have made them, or be making them now.
DO $$ DECLARE name text; BEGIN
  FOREACH name IN ARRAY ARRAY['kindred_app', 'kindred_auth'] LOOP
    BEGIN
      EXECUTE format('CREATE ROLE %I NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE', name);
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
    END;
  END LOOP;
END $$;
GRANT kindred_auth TO CURRENT_USER;
GRANT USAGE ON SCHEMA public TO kindred_app, kindred_auth;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;

CREATE TYPE role AS ENUM ('OWNER', 'ADMIN', 'MEMBER', 'VIEWER');
CREATE TYPE api_key_kind AS ENUM ('PUBLISHABLE', 'SECRET');
CREATE TYPE interaction_type AS ENUM ('VIEW', 'CLICK', 'CART', 'PURCHASE', 'RATING');
CREATE TYPE algorithm AS ENUM ('LIGHTGCN');
CREATE TYPE training_run_status AS ENUM ('QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED');
CREATE TYPE training_phase AS ENUM ('PREFLIGHT', 'SNAPSHOT', 'TRAIN', 'EVALUATE', 'BUILD_INDEX', 'PROMOTE');
CREATE TYPE model_version_status AS ENUM ('BUILDING', 'READY', 'ACTIVE', 'RETIRED');

-- After COMMIT a transaction-local setting reads '' on a pooled connection, not NULL; hence nullif.
CREATE FUNCTION current_tenant_id() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
  RETURN nullif(current_setting('app.tenant_id', true), '')::uuid;

CREATE TABLE tenants (
  id uuid PRIMARY KEY,
  name text NOT NULL,
  slug text NOT NULL UNIQUE,
  demo_source text,
  simulated boolean NOT NULL DEFAULT false,
  created_at timestamptz(3) NOT NULL DEFAULT now()
);

CREATE TABLE accounts (
  id uuid PRIMARY KEY,
  email text NOT NULL UNIQUE,
  display_name text NOT NULL,
  password_hash text NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now()
);

CREATE TABLE memberships (
  tenant_id uuid NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
  account_id uuid NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  role role NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, account_id)
);
CREATE INDEX memberships_account_id_idx ON memberships (account_id);

CREATE TABLE api_keys (
  tenant_id uuid NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
  id uuid NOT NULL,
  name text NOT NULL,
  kind api_key_kind NOT NULL,
  preview text NOT NULL,
  digest bytea NOT NULL UNIQUE,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  revoked_at timestamptz(3),
  PRIMARY KEY (tenant_id, id)
);

CREATE TABLE idempotency_records (
  tenant_id uuid NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
  operation text NOT NULL,
  key text NOT NULL,
  request_hash bytea NOT NULL,
  response jsonb,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, operation, key)
);

-- No index on title: under row-level security LIKE is no index condition, since its function is not leakproof.
CREATE TABLE items (
  tenant_id uuid NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
  id uuid NOT NULL,
  external_id text NOT NULL,
  title text NOT NULL,
  categories text[] NOT NULL DEFAULT '{}',
  properties jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, external_id)
);

CREATE TABLE users (
  tenant_id uuid NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
  id uuid NOT NULL,
  external_id text NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, external_id)
);

CREATE TABLE interactions (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  user_id uuid NOT NULL,
  item_id uuid NOT NULL,
  type interaction_type NOT NULL,
  value double precision,
  event_id text,
  occurred_at timestamptz(3) NOT NULL,
  recorded_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, event_id),
  FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, item_id) REFERENCES items (tenant_id, id) ON DELETE CASCADE
) PARTITION BY HASH (tenant_id);
DO $$ BEGIN
  FOR part IN 0..7 LOOP
    EXECUTE format('CREATE TABLE interactions_p%s PARTITION OF interactions FOR VALUES WITH (MODULUS 8, REMAINDER %s)', part, part);
    -- Asked for by its own name, a partition knows nothing of its parent's policy: without one of its own it shows no row.
    EXECUTE format('ALTER TABLE interactions_p%s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', part);
  END LOOP;
END $$;
CREATE INDEX interactions_user_idx ON interactions (tenant_id, user_id, occurred_at DESC, id DESC);
CREATE INDEX interactions_item_idx ON interactions (tenant_id, item_id);

CREATE TABLE models (
  tenant_id uuid NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
  id uuid NOT NULL,
  name text NOT NULL,
  algorithm algorithm NOT NULL,
  hyperparameters jsonb NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, name)
);

CREATE TABLE training_runs (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  model_id uuid NOT NULL,
  status training_run_status NOT NULL DEFAULT 'QUEUED',
  phase training_phase,
  failure text,
  hyperparameters jsonb NOT NULL,
  last_sequence integer NOT NULL DEFAULT 0,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  started_at timestamptz(3),
  finished_at timestamptz(3),
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, model_id) REFERENCES models (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX training_runs_model_idx ON training_runs (tenant_id, model_id, id DESC);
CREATE UNIQUE INDEX training_runs_one_open_per_model ON training_runs (tenant_id, model_id) WHERE status IN ('QUEUED', 'RUNNING');

CREATE TABLE training_events (
  tenant_id uuid NOT NULL,
  run_id uuid NOT NULL,
  sequence integer NOT NULL,
  dedupe_key text NOT NULL,
  at timestamptz(3) NOT NULL,
  body jsonb NOT NULL,
  PRIMARY KEY (tenant_id, run_id, sequence),
  UNIQUE (tenant_id, run_id, dedupe_key),
  FOREIGN KEY (tenant_id, run_id) REFERENCES training_runs (tenant_id, id) ON DELETE CASCADE
);

CREATE TABLE model_versions (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  model_id uuid NOT NULL,
  run_id uuid NOT NULL,
  number integer NOT NULL,
  status model_version_status NOT NULL DEFAULT 'BUILDING',
  metrics jsonb,
  baselines jsonb NOT NULL DEFAULT '[]',
  index_summary jsonb,
  artefact_key text NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  activated_at timestamptz(3),
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, run_id),
  UNIQUE (tenant_id, model_id, number),
  FOREIGN KEY (tenant_id, model_id) REFERENCES models (tenant_id, id) ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, run_id) REFERENCES training_runs (tenant_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX model_versions_one_active ON model_versions (tenant_id, model_id) WHERE status = 'ACTIVE';

DO $$
DECLARE name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['memberships', 'api_keys', 'idempotency_records', 'items', 'users', 'interactions', 'models',
                              'training_runs', 'training_events', 'model_versions'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY tenant_isolation ON %I TO kindred_app USING (tenant_id = (SELECT current_tenant_id())) WITH CHECK (tenant_id = (SELECT current_tenant_id()))', name);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO kindred_app', name);
  END LOOP;
END $$;

ALTER TABLE tenants ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON tenants TO kindred_app USING (id = (SELECT current_tenant_id())) WITH CHECK (id = (SELECT current_tenant_id()));
GRANT SELECT, UPDATE ON tenants TO kindred_app;

ALTER TABLE accounts ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY members_only ON accounts FOR SELECT TO kindred_app
  USING (EXISTS (SELECT 1 FROM memberships m WHERE m.account_id = accounts.id AND m.tenant_id = (SELECT current_tenant_id())));
GRANT SELECT (id, email, display_name, created_at) ON accounts TO kindred_app;

-- What kindred_auth may do, and nothing else.
GRANT SELECT, INSERT ON tenants, accounts, memberships TO kindred_auth;
GRANT SELECT ON api_keys TO kindred_auth;
CREATE POLICY authentication ON tenants TO kindred_auth USING (true) WITH CHECK (true);
CREATE POLICY authentication ON accounts TO kindred_auth USING (true) WITH CHECK (true);
CREATE POLICY authentication ON memberships TO kindred_auth USING (true) WITH CHECK (true);
CREATE POLICY authentication ON api_keys FOR SELECT TO kindred_auth USING (true);

-- Creates tenant, owner and membership together; unique violations name the taken slug or e-mail address.
CREATE FUNCTION auth_sign_up(
  tenant_id uuid, tenant_name text, tenant_slug text, demo_source text, simulated boolean,
  account_id uuid, email text, display_name text, password_hash text
) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public BEGIN ATOMIC
  INSERT INTO public.tenants (id, name, slug, demo_source, simulated)
    VALUES (auth_sign_up.tenant_id, tenant_name, tenant_slug, auth_sign_up.demo_source, auth_sign_up.simulated);
  INSERT INTO public.accounts (id, email, display_name, password_hash)
    VALUES (auth_sign_up.account_id, auth_sign_up.email, auth_sign_up.display_name, auth_sign_up.password_hash);
  INSERT INTO public.memberships (tenant_id, account_id, role)
    VALUES (auth_sign_up.tenant_id, auth_sign_up.account_id, 'OWNER');
END;

-- The account behind an e-mail address with its oldest membership.
CREATE FUNCTION auth_find_sign_in(wanted_email text)
RETURNS TABLE (account_id uuid, password_hash text, tenant_id uuid, role role)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public BEGIN ATOMIC
  SELECT a.id, a.password_hash, m.tenant_id, m.role
    FROM public.accounts a JOIN public.memberships m ON m.account_id = a.id
   WHERE a.email = wanted_email ORDER BY m.created_at, m.tenant_id LIMIT 1;
END;

-- The live API key with this digest.
CREATE FUNCTION auth_find_api_key(wanted_digest bytea)
RETURNS TABLE (tenant_id uuid, api_key_id uuid, kind api_key_kind)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public BEGIN ATOMIC
  SELECT k.tenant_id, k.id, k.kind FROM public.api_keys k WHERE k.digest = wanted_digest AND k.revoked_at IS NULL;
END;

GRANT CREATE ON SCHEMA public TO kindred_auth;
ALTER FUNCTION auth_sign_up OWNER TO kindred_auth;
ALTER FUNCTION auth_find_sign_in OWNER TO kindred_auth;
ALTER FUNCTION auth_find_api_key OWNER TO kindred_auth;
REVOKE CREATE ON SCHEMA public FROM kindred_auth;
REVOKE ALL ON FUNCTION auth_sign_up, auth_find_sign_in, auth_find_api_key FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth_sign_up, auth_find_sign_in, auth_find_api_key TO kindred_app;
