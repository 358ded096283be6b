DO $$ BEGIN
  CREATE ROLE kindred_retention NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;
GRANT kindred_retention TO CURRENT_USER;
GRANT USAGE ON SCHEMA public TO kindred_retention;

-- How long a tenant keeps its audit log. A year at least: who does harm must not be able to have it forgotten before it is found.
ALTER TABLE retention_policies ADD COLUMN audit_days integer CHECK (audit_days >= 365);
GRANT SELECT (tenant_id, audit_days) ON retention_policies TO kindred_retention;
CREATE POLICY pruning ON retention_policies FOR SELECT TO kindred_retention USING (tenant_id = (SELECT current_tenant_id()));

-- The last event that was pruned: the first one that is kept follows it. An event of the log tells the same.
CREATE TABLE audit_anchors (
  tenant_id uuid PRIMARY KEY REFERENCES tenants (id),
  sequence bigint NOT NULL,
  hash bytea NOT NULL,
  pruned_at timestamptz(3) NOT NULL,
  reason text NOT NULL
);
ALTER TABLE audit_anchors ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON audit_anchors TO kindred_app
  USING (tenant_id = (SELECT current_tenant_id())) WITH CHECK (tenant_id = (SELECT current_tenant_id()));
GRANT SELECT ON audit_anchors TO kindred_app;
CREATE POLICY pruning ON audit_anchors TO kindred_retention
  USING (tenant_id = (SELECT current_tenant_id())) WITH CHECK (tenant_id = (SELECT current_tenant_id()));
GRANT SELECT, INSERT, UPDATE ON audit_anchors TO kindred_retention;

-- The policy holds the shortest period as well, whatever audit_prune is made to do.
CREATE POLICY pruning_reads ON audit_events FOR SELECT TO kindred_retention USING (tenant_id = (SELECT current_tenant_id()));
CREATE POLICY pruning ON audit_events FOR DELETE TO kindred_retention
  USING (tenant_id = (SELECT current_tenant_id()) AND at < clock_timestamp() - interval '365 days');
GRANT SELECT, DELETE ON audit_events TO kindred_retention;

-- What the event of a pruning says of its anchor.
CREATE FUNCTION audit_anchor_details(of_sequence bigint, of_hash bytea, of_pruned_at timestamptz, of_reason text) RETURNS jsonb
LANGUAGE sql IMMUTABLE BEGIN ATOMIC
  SELECT jsonb_build_object('sequence', of_sequence, 'hash', encode(of_hash, 'hex'),
    'prunedAt', (extract(epoch FROM of_pruned_at) * 1000)::bigint, 'reason', of_reason);
END;

-- Deletes the oldest events of the transaction's tenant, at most `most`, that are older than the tenant keeps them, and says how
-- many. A log that is broken there is not cut, since what was done to it would be forgotten with it: `broken` is the first such event.
CREATE FUNCTION audit_prune(most integer, OUT pruned integer, OUT broken bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
  tenant uuid := public.current_tenant_id();
  days integer;
  anchor public.audit_anchors;
BEGIN
  pruned := 0;
  PERFORM pg_advisory_xact_lock(hashtextextended('audit_events/' || tenant::text, 0));
  SELECT r.audit_days INTO days FROM public.retention_policies r WHERE r.tenant_id = tenant;
  IF days IS NULL THEN RETURN; END IF;
  SELECT * INTO anchor FROM public.audit_anchors a WHERE a.tenant_id = tenant;
  anchor.tenant_id := tenant;
  anchor.sequence := coalesce(anchor.sequence, 0);
  anchor.hash := coalesce(anchor.hash, sha256(convert_to(tenant::text, 'UTF8')));
  WITH oldest AS (
    SELECT * FROM public.audit_events e WHERE e.tenant_id = tenant ORDER BY e.sequence LIMIT most
  ), walked AS (
    SELECT o.sequence, o.hash, max(o.at) OVER walk AS newest,
           o.sequence <> anchor.sequence + row_number() OVER walk
             OR o.previous_hash <> coalesce(lag(o.hash) OVER walk, anchor.hash)
             OR o.hash <> sha256(o.previous_hash || convert_to(jsonb_build_array(o.tenant_id, o.sequence,
                  (extract(epoch FROM o.at) * 1000)::bigint, o.actor, o.action, o.details)::text, 'UTF8')) AS wrong
      FROM oldest o WINDOW walk AS (ORDER BY o.sequence)
  ), old AS (
    SELECT * FROM walked w WHERE w.newest < clock_timestamp() - make_interval(days => days)
  )
  SELECT (SELECT min(o.sequence) FROM old o WHERE o.wrong), count(*), max(o.sequence),
         (SELECT o.hash FROM old o ORDER BY o.sequence DESC LIMIT 1)
    INTO broken, pruned, anchor.sequence, anchor.hash FROM old o;
  IF broken IS NOT NULL THEN pruned := 0; END IF;
  IF pruned = 0 THEN RETURN; END IF;
  anchor.pruned_at := clock_timestamp();
  anchor.reason := format('kept for %s days', days);
  PERFORM public.audit_append('{"kind": "platform"}', 'pruneAuditLog',
    public.audit_anchor_details(anchor.sequence, anchor.hash, anchor.pruned_at, anchor.reason));
  DELETE FROM public.audit_events e WHERE e.tenant_id = tenant AND e.sequence <= anchor.sequence;
  GET DIAGNOSTICS pruned = ROW_COUNT;
  INSERT INTO public.audit_anchors SELECT anchor.* ON CONFLICT (tenant_id) DO UPDATE
    SET sequence = excluded.sequence, hash = excluded.hash, pruned_at = excluded.pruned_at, reason = excluded.reason;
END $$;

GRANT CREATE ON SCHEMA public TO kindred_retention;
ALTER FUNCTION audit_prune OWNER TO kindred_retention;
REVOKE CREATE ON SCHEMA public FROM kindred_retention;
REVOKE ALL ON FUNCTION audit_prune FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit_append TO kindred_retention;
GRANT EXECUTE ON FUNCTION audit_prune TO kindred_app;
