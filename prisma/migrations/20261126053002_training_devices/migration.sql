CREATE TYPE device_wish AS ENUM ('AUTO', 'CPU', 'GPU');
CREATE TYPE training_device AS ENUM ('CPU', 'GPU');

-- What a run was asked to compute with, whether it may do without a GPU, and what came of it.
ALTER TABLE training_runs
  ADD COLUMN device_wish device_wish NOT NULL DEFAULT 'AUTO',
  ADD COLUMN device_fallback boolean NOT NULL DEFAULT true,
  ADD COLUMN device training_device,
  ADD COLUMN device_reason text;
