ALTER TYPE training_phase ADD VALUE 'INSTANT_MODEL' BEFORE 'TRAIN';
CREATE TYPE version_algorithm AS ENUM ('LIGHTGCN', 'SPECTRAL');

ALTER TABLE models RENAME COLUMN hyperparameters TO settings;
ALTER TABLE training_runs ADD COLUMN settings jsonb, ADD COLUMN compute jsonb, ALTER COLUMN hyperparameters DROP NOT NULL;
ALTER TABLE model_versions ADD COLUMN algorithm version_algorithm NOT NULL DEFAULT 'LIGHTGCN';
ALTER TABLE model_versions ALTER COLUMN algorithm DROP DEFAULT;
ALTER TABLE model_versions DROP CONSTRAINT model_versions_tenant_id_run_id_key, ADD UNIQUE (tenant_id, run_id, algorithm);

-- Forced row-level security hides the rows even from their owner, unless the owner is a superuser.
ALTER TABLE models NO FORCE ROW LEVEL SECURITY;
ALTER TABLE training_runs NO FORCE ROW LEVEL SECURITY;

-- Until now every model held all eight settings. One that has the default of then was not set by anybody.
UPDATE models SET settings = (
  SELECT coalesce(jsonb_object_agg(own.key, own.value), '{}') FROM jsonb_each(settings) own
    LEFT JOIN jsonb_each('{"dimension": 64, "layers": 2, "learningRate": 0.01, "regularization": 0.001,
                           "batchSize": 4096, "epochs": 50, "patience": 8, "seed": 1}') usual ON usual.key = own.key
   WHERE own.value IS DISTINCT FROM usual.value
);

-- Until now every run trained with BPR, and with these of its settings unsaid.
UPDATE training_runs SET
  settings = hyperparameters,
  hyperparameters = hyperparameters || '{"loss": "bpr", "initialDeviation": 0.1, "userGroup": 1, "lengthExponent": 1}';
ALTER TABLE training_runs ALTER COLUMN settings SET NOT NULL;

ALTER TABLE models FORCE ROW LEVEL SECURITY;
ALTER TABLE training_runs FORCE ROW LEVEL SECURITY;
