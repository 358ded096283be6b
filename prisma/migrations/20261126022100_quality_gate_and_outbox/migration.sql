ALTER TABLE training_runs ADD COLUMN quality_gate jsonb;

-- What is to be said to others about a change, written in the change's own transaction and deleted once it was said.
CREATE TABLE outbox (
  tenant_id uuid NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
  id uuid NOT NULL,
  topic text NOT NULL,
  message jsonb NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, id)
);
ALTER TABLE outbox ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON outbox TO kindred_app
  USING (tenant_id = (SELECT current_tenant_id())) WITH CHECK (tenant_id = (SELECT current_tenant_id()));
GRANT SELECT, INSERT, UPDATE, DELETE ON outbox TO kindred_app;

-- The tenants with messages that nobody has sent yet; nothing of the messages.
GRANT SELECT (tenant_id, created_at) ON outbox TO kindred_auth;
CREATE POLICY relay ON outbox FOR SELECT TO kindred_auth USING (true);
CREATE FUNCTION outbox_tenants(written_before timestamptz) RETURNS TABLE (tenant_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public BEGIN ATOMIC
  SELECT DISTINCT o.tenant_id FROM public.outbox o WHERE o.created_at < written_before;
END;
GRANT CREATE ON SCHEMA public TO kindred_auth;
ALTER FUNCTION outbox_tenants OWNER TO kindred_auth;
REVOKE CREATE ON SCHEMA public FROM kindred_auth;
REVOKE ALL ON FUNCTION outbox_tenants FROM PUBLIC;
GRANT EXECUTE ON FUNCTION outbox_tenants TO kindred_app;
