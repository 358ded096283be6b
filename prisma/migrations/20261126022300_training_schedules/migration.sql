-- When a model is trained without being asked; null for never.
ALTER TABLE models ADD COLUMN schedule jsonb;
