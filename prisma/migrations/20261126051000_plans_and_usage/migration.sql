CREATE TYPE plan AS ENUM ('FREE', 'GROWTH', 'SCALE');
ALTER TABLE tenants ADD COLUMN plan plan NOT NULL DEFAULT 'SCALE';
ALTER TABLE training_runs ADD COLUMN cpu_ms double precision NOT NULL DEFAULT 0;

-- Owns the functions that count, and may do nothing else.
DO $$ BEGIN
  CREATE ROLE kindred_usage NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;
GRANT kindred_usage TO CURRENT_USER;
GRANT USAGE ON SCHEMA public TO kindred_usage;

-- What a tenant stores. Every connection adds to a row of its own, one of sixteen, so that writers wait for nobody: the sum counts.
CREATE TABLE tenant_counts (
  tenant_id uuid NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
  stripe smallint NOT NULL,
  items bigint NOT NULL DEFAULT 0,
  interactions bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant_id, stripe)
) WITH (fillfactor = 50);

-- What a tenant used on a day in UTC, in the same way. Sums of the ledger, of recorded interactions and of trainings.
CREATE TABLE usage_days (
  tenant_id uuid NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
  day date NOT NULL,
  stripe smallint NOT NULL,
  requests bigint NOT NULL DEFAULT 0,
  points bigint NOT NULL DEFAULT 0,
  recommendations bigint NOT NULL DEFAULT 0,
  interactions bigint NOT NULL DEFAULT 0,
  trainings bigint NOT NULL DEFAULT 0,
  training_cpu_ms bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant_id, day, stripe)
) WITH (fillfactor = 50);

-- What gateways spent, in batches: a batch that is told twice is there once. The application adds, and changes nothing.
CREATE TABLE usage_ledger (
  tenant_id uuid NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
  batch_id uuid NOT NULL,
  day date NOT NULL,
  operation text NOT NULL,
  credential text NOT NULL,
  requests bigint NOT NULL,
  points bigint NOT NULL,
  recommendations bigint NOT NULL,
  recorded_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, batch_id, day, operation, credential)
);

DO $$
DECLARE name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['tenant_counts', 'usage_days', 'usage_ledger'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY tenant_isolation ON %I TO kindred_app USING (tenant_id = (SELECT current_tenant_id())) WITH CHECK (tenant_id = (SELECT current_tenant_id()))', name);
    EXECUTE format('GRANT SELECT ON %I TO kindred_app', name);
  END LOOP;
END $$;
GRANT INSERT ON usage_ledger TO kindred_app;
-- The tenants are those of rows that row-level security let through; a cascade knows of no current tenant.
GRANT SELECT, INSERT, UPDATE ON tenant_counts, usage_days TO kindred_usage;
CREATE POLICY counting ON tenant_counts TO kindred_usage USING (true) WITH CHECK (true);
CREATE POLICY counting ON usage_days TO kindred_usage USING (true) WITH CHECK (true);

CREATE FUNCTION count_stored() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
  own smallint := pg_backend_pid() % 16;
  today date := (now() AT TIME ZONE 'UTC')::date;
  changed record;
BEGIN
  FOR changed IN
    SELECT c.tenant_id,
           CASE WHEN TG_ARGV[0] = 'items' THEN count(*) ELSE 0 END AS items,
           CASE WHEN TG_ARGV[0] = 'interactions' THEN count(*) ELSE 0 END AS interactions
      FROM changed_rows c GROUP BY c.tenant_id ORDER BY c.tenant_id
  LOOP
    IF TG_OP = 'DELETE' THEN
      -- Any row will do; there is none left when the tenant itself goes.
      UPDATE public.tenant_counts t
         SET items = t.items - changed.items, interactions = t.interactions - changed.interactions
       WHERE t.tenant_id = changed.tenant_id
         AND t.stripe = (SELECT min(o.stripe) FROM public.tenant_counts o WHERE o.tenant_id = changed.tenant_id);
      CONTINUE;
    END IF;
    INSERT INTO public.tenant_counts AS t (tenant_id, stripe, items, interactions)
    VALUES (changed.tenant_id, own, changed.items, changed.interactions)
    ON CONFLICT (tenant_id, stripe) DO UPDATE
      SET items = t.items + excluded.items, interactions = t.interactions + excluded.interactions;
    IF changed.interactions > 0 THEN
      INSERT INTO public.usage_days AS d (tenant_id, day, stripe, interactions)
      VALUES (changed.tenant_id, today, own, changed.interactions)
      ON CONFLICT (tenant_id, day, stripe) DO UPDATE SET interactions = d.interactions + excluded.interactions;
    END IF;
  END LOOP;
  RETURN NULL;
END $$;

CREATE FUNCTION count_spent() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
  INSERT INTO public.usage_days AS d (tenant_id, day, stripe, requests, points, recommendations)
  SELECT c.tenant_id, c.day, pg_backend_pid() % 16, sum(c.requests), sum(c.points), sum(c.recommendations)
    FROM changed_rows c GROUP BY c.tenant_id, c.day ORDER BY c.tenant_id, c.day
  ON CONFLICT (tenant_id, day, stripe) DO UPDATE
    SET requests = d.requests + excluded.requests, points = d.points + excluded.points,
        recommendations = d.recommendations + excluded.recommendations;
  RETURN NULL;
END $$;

CREATE FUNCTION count_training() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
  runs bigint := CASE TG_OP WHEN 'INSERT' THEN 1 ELSE 0 END;
  cpu bigint := round(NEW.cpu_ms) - CASE TG_OP WHEN 'INSERT' THEN 0 ELSE round(OLD.cpu_ms) END;
BEGIN
  INSERT INTO public.usage_days AS d (tenant_id, day, stripe, trainings, training_cpu_ms)
  VALUES (NEW.tenant_id, (now() AT TIME ZONE 'UTC')::date, pg_backend_pid() % 16, runs, cpu)
  ON CONFLICT (tenant_id, day, stripe) DO UPDATE
    SET trainings = d.trainings + excluded.trainings, training_cpu_ms = d.training_cpu_ms + excluded.training_cpu_ms;
  RETURN NULL;
END $$;

CREATE TRIGGER count_added AFTER INSERT ON items REFERENCING NEW TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION count_stored('items');
CREATE TRIGGER count_removed AFTER DELETE ON items REFERENCING OLD TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION count_stored('items');
CREATE TRIGGER count_added AFTER INSERT ON interactions REFERENCING NEW TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION count_stored('interactions');
CREATE TRIGGER count_removed AFTER DELETE ON interactions REFERENCING OLD TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION count_stored('interactions');
CREATE TRIGGER count_spent AFTER INSERT ON usage_ledger REFERENCING NEW TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION count_spent();
CREATE TRIGGER count_training AFTER INSERT OR UPDATE OF cpu_ms ON training_runs FOR EACH ROW EXECUTE FUNCTION count_training();

GRANT CREATE ON SCHEMA public TO kindred_usage;
ALTER FUNCTION count_stored OWNER TO kindred_usage;
ALTER FUNCTION count_spent OWNER TO kindred_usage;
ALTER FUNCTION count_training OWNER TO kindred_usage;
REVOKE CREATE ON SCHEMA public FROM kindred_usage;
REVOKE ALL ON FUNCTION count_stored, count_spent, count_training FROM PUBLIC;

-- Forced row-level security hides the rows even from their owner, unless the owner is a superuser.
ALTER TABLE items NO FORCE ROW LEVEL SECURITY;
ALTER TABLE interactions NO FORCE ROW LEVEL SECURITY;
ALTER TABLE tenants NO FORCE ROW LEVEL SECURITY;
ALTER TABLE training_runs NO FORCE ROW LEVEL SECURITY;
ALTER TABLE tenant_counts NO FORCE ROW LEVEL SECURITY;
ALTER TABLE usage_days NO FORCE ROW LEVEL SECURITY;

INSERT INTO tenant_counts (tenant_id, stripe, items, interactions)
SELECT t.id, 0, (SELECT count(*) FROM items i WHERE i.tenant_id = t.id), (SELECT count(*) FROM interactions i WHERE i.tenant_id = t.id)
  FROM tenants t;
INSERT INTO usage_days (tenant_id, day, stripe, interactions)
SELECT i.tenant_id, (i.recorded_at AT TIME ZONE 'UTC')::date, 0, count(*) FROM interactions i GROUP BY 1, 2;
INSERT INTO usage_days AS d (tenant_id, day, stripe, trainings)
SELECT r.tenant_id, (r.created_at AT TIME ZONE 'UTC')::date, 0, count(*) FROM training_runs r GROUP BY 1, 2
ON CONFLICT (tenant_id, day, stripe) DO UPDATE SET trainings = excluded.trainings;

ALTER TABLE items FORCE ROW LEVEL SECURITY;
ALTER TABLE interactions FORCE ROW LEVEL SECURITY;
ALTER TABLE tenants FORCE ROW LEVEL SECURITY;
ALTER TABLE training_runs FORCE ROW LEVEL SECURITY;
ALTER TABLE tenant_counts FORCE ROW LEVEL SECURITY;
ALTER TABLE usage_days FORCE ROW LEVEL SECURITY;
