-- Which attempt may write for the run, counted up by each that takes over, and the checkpoints to go on from, newest first.
ALTER TABLE training_runs ADD COLUMN fence integer NOT NULL DEFAULT 0, ADD COLUMN checkpoints jsonb NOT NULL DEFAULT '[]';
