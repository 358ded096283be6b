-- What people asked of a run under way, and which execution in Temporal works on it.
ALTER TABLE training_runs ADD COLUMN paused_at timestamptz(3), ADD COLUMN stopping_at timestamptz(3), ADD COLUMN execution_id text;
