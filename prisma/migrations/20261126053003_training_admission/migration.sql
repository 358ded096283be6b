-- When a queued run's workflow last asked for a place: one whose workflow is gone stands in nobody's way.
ALTER TABLE training_runs ADD COLUMN asked_at timestamptz(3);
CREATE INDEX training_runs_open_idx ON training_runs (tenant_id, id) WHERE status IN ('QUEUED', 'RUNNING');
