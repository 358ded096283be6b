-- The trials of a tuning. `fence` counts the attempts at one: the last alone may write. `curve` is the validation NDCG@10 by epoch.
CREATE TYPE trial_status AS ENUM ('WAITING', 'RUNNING', 'DONE', 'STOPPED', 'FAILED');
CREATE TABLE tuning_trials (
  tenant_id uuid NOT NULL,
  tuning_id uuid NOT NULL,
  number integer NOT NULL,
  status trial_status NOT NULL DEFAULT 'WAITING',
  settings jsonb NOT NULL,
  curve double precision[] NOT NULL DEFAULT '{}',
  failure text,
  fence integer NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant_id, tuning_id, number),
  FOREIGN KEY (tenant_id, tuning_id) REFERENCES jobs (tenant_id, id) ON DELETE CASCADE
);
ALTER TABLE tuning_trials ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON tuning_trials TO kindred_app
  USING (tenant_id = (SELECT current_tenant_id())) WITH CHECK (tenant_id = (SELECT current_tenant_id()));
GRANT SELECT, INSERT, UPDATE, DELETE ON tuning_trials TO kindred_app;
