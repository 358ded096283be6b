-- What the trials of a tuning computed, and since when a batch has a place among what the tenant computes at one time.
ALTER TABLE jobs ADD COLUMN cpu_ms double precision NOT NULL DEFAULT 0, ADD COLUMN admitted_at timestamptz(3);
CREATE INDEX jobs_open_idx ON jobs (tenant_id, kind) WHERE status IN ('QUEUED', 'RUNNING');

-- Every trial of a tuning counts as a training of the month in which the tuning was asked for.
CREATE FUNCTION count_tuning() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
  runs bigint := CASE TG_OP WHEN 'INSERT' THEN coalesce((NEW.job_order->>'trialCount')::bigint, 0) ELSE 0 END;
  cpu bigint := round(NEW.cpu_ms) - CASE TG_OP WHEN 'INSERT' THEN 0 ELSE round(OLD.cpu_ms) END;
BEGIN
  INSERT INTO public.usage_days AS d (tenant_id, day, stripe, trainings, training_cpu_ms)
  VALUES (NEW.tenant_id, (now() AT TIME ZONE 'UTC')::date, pg_backend_pid() % 16, runs, cpu)
  ON CONFLICT (tenant_id, day, stripe) DO UPDATE
    SET trainings = d.trainings + excluded.trainings, training_cpu_ms = d.training_cpu_ms + excluded.training_cpu_ms;
  RETURN NULL;
END $$;

CREATE TRIGGER count_tuning AFTER INSERT OR UPDATE OF cpu_ms ON jobs
  FOR EACH ROW WHEN (NEW.kind = 'TUNING') EXECUTE FUNCTION count_tuning();

GRANT CREATE ON SCHEMA public TO kindred_usage;
ALTER FUNCTION count_tuning OWNER TO kindred_usage;
REVOKE CREATE ON SCHEMA public FROM kindred_usage;
REVOKE ALL ON FUNCTION count_tuning FROM PUBLIC;
