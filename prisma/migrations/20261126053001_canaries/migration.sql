ALTER TYPE training_phase ADD VALUE 'CANARY';
CREATE TYPE canary_status AS ENUM ('RUNNING', 'PROMOTED', 'ROLLED_BACK', 'ABORTED');
CREATE TYPE canary_arm AS ENUM ('CONTROL', 'CANARY');

-- How a model's new versions come to answer: {sharePercent, minimumAnswers, maximumMinutes}; null for at once.
ALTER TABLE models ADD COLUMN canary jsonb;

-- A version on trial beside the one that answers. Serving adds to the counts; clicks have a table of their own, so that
-- one answer counts once.
CREATE TABLE canaries (
  tenant_id uuid NOT NULL,
  version_id uuid NOT NULL,
  control_id uuid NOT NULL,
  status canary_status NOT NULL DEFAULT 'RUNNING',
  share_percent integer NOT NULL,
  minimum_answers integer NOT NULL,
  control_answers integer NOT NULL DEFAULT 0,
  control_errors integer NOT NULL DEFAULT 0,
  canary_answers integer NOT NULL DEFAULT 0,
  canary_errors integer NOT NULL DEFAULT 0,
  reason text,
  started_at timestamptz(3) NOT NULL DEFAULT now(),
  ends_at timestamptz(3) NOT NULL,
  finished_at timestamptz(3),
  PRIMARY KEY (tenant_id, version_id),
  FOREIGN KEY (tenant_id, version_id) REFERENCES model_versions (tenant_id, id) ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, control_id) REFERENCES model_versions (tenant_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX canaries_one_running ON canaries (tenant_id) WHERE status = 'RUNNING';

CREATE TABLE canary_clicks (
  tenant_id uuid NOT NULL,
  version_id uuid NOT NULL,
  recommendation_id uuid NOT NULL,
  arm canary_arm NOT NULL,
  PRIMARY KEY (tenant_id, version_id, recommendation_id),
  FOREIGN KEY (tenant_id, version_id) REFERENCES canaries (tenant_id, version_id) ON DELETE CASCADE
);

DO $$
DECLARE name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['canaries', 'canary_clicks'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY tenant_isolation ON %I TO kindred_app USING (tenant_id = (SELECT current_tenant_id())) WITH CHECK (tenant_id = (SELECT current_tenant_id()))', name);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO kindred_app', name);
  END LOOP;
END $$;
