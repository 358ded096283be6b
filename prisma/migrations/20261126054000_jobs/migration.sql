CREATE TYPE job_kind AS ENUM ('IMPORT', 'TUNING', 'BATCH_RECOMMENDATION');
CREATE TYPE job_status AS ENUM ('QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED');

-- Long work besides trainings. `job_order` is what was asked for; `state` is how far it has come, and `revision` counts its
-- changes: an attempt that was given up names one that is past, and changes nothing.
CREATE TABLE jobs (
  tenant_id uuid NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
  id uuid NOT NULL,
  kind job_kind NOT NULL,
  model_id uuid,
  status job_status NOT NULL DEFAULT 'QUEUED',
  failure text,
  job_order jsonb NOT NULL,
  state jsonb NOT NULL DEFAULT '{}',
  revision integer NOT NULL DEFAULT 0,
  last_sequence integer NOT NULL DEFAULT 0,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  started_at timestamptz(3),
  finished_at timestamptz(3),
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, model_id) REFERENCES models (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX jobs_kind_idx ON jobs (tenant_id, kind, id DESC);
CREATE INDEX jobs_model_idx ON jobs (tenant_id, model_id, kind, id DESC);
CREATE UNIQUE INDEX jobs_one_open_tuning_per_model ON jobs (tenant_id, model_id)
  WHERE kind = 'TUNING' AND status IN ('QUEUED', 'RUNNING');

CREATE TABLE job_events (
  tenant_id uuid NOT NULL,
  job_id uuid NOT NULL,
  sequence integer NOT NULL,
  dedupe_key text NOT NULL,
  at timestamptz(3) NOT NULL,
  body jsonb NOT NULL,
  PRIMARY KEY (tenant_id, job_id, sequence),
  UNIQUE (tenant_id, job_id, dedupe_key),
  FOREIGN KEY (tenant_id, job_id) REFERENCES jobs (tenant_id, id) ON DELETE CASCADE
);

-- Every wrong row of an import, in the order of the file.
CREATE TABLE import_errors (
  tenant_id uuid NOT NULL,
  import_id uuid NOT NULL,
  number integer NOT NULL,
  line integer NOT NULL,
  field text,
  message text NOT NULL,
  PRIMARY KEY (tenant_id, import_id, number),
  FOREIGN KEY (tenant_id, import_id) REFERENCES jobs (tenant_id, id) ON DELETE CASCADE
);

DO $$
DECLARE name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['jobs', 'job_events', 'import_errors'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY tenant_isolation ON %I TO kindred_app USING (tenant_id = (SELECT current_tenant_id())) WITH CHECK (tenant_id = (SELECT current_tenant_id()))', name);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO kindred_app', name);
  END LOOP;
END $$;
