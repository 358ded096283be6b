-- What a tenant is told by its webhooks, kept as it was told so that it can be told again: id, type and data never change.
CREATE TABLE webhook_events (
  tenant_id uuid NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
  id uuid NOT NULL,
  type text NOT NULL,
  at timestamptz(3) NOT NULL,
  data jsonb NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
CREATE INDEX webhook_events_age_idx ON webhook_events (tenant_id, at);
ALTER TABLE webhook_events ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON webhook_events TO kindred_app
  USING (tenant_id = (SELECT current_tenant_id())) WITH CHECK (tenant_id = (SELECT current_tenant_id()));
GRANT SELECT, INSERT, DELETE ON webhook_events TO kindred_app;

-- Until now only test events were sent, each once: the attempt stands for its event.
INSERT INTO webhook_events (tenant_id, id, type, at, data)
  SELECT d.tenant_id, d.id, d.event_type, d.at,
         jsonb_build_object('webhookId', 'whk_' || replace(d.webhook_id::text, '-', ''))
    FROM webhook_deliveries d;

-- `attempt` counts the platform's own attempts at an event from 1; what a person asked for has none.
ALTER TABLE webhook_deliveries
  ADD COLUMN event_id uuid,
  ADD COLUMN attempt integer,
  ADD COLUMN response_body text;
UPDATE webhook_deliveries SET event_id = id;
ALTER TABLE webhook_deliveries
  ALTER COLUMN event_id SET NOT NULL,
  ADD FOREIGN KEY (tenant_id, event_id) REFERENCES webhook_events (tenant_id, id) ON DELETE CASCADE;
-- An attempt that is made again after a crash is the same attempt.
CREATE UNIQUE INDEX webhook_deliveries_attempt_idx ON webhook_deliveries (tenant_id, event_id, webhook_id, attempt);

CREATE TYPE webhook_disabled_reason AS ENUM ('GONE', 'FAILING');
ALTER TABLE webhooks
  ADD COLUMN enabled_at timestamptz(3) NOT NULL DEFAULT now(),
  ADD COLUMN disabled_reason webhook_disabled_reason;
UPDATE webhooks SET enabled_at = created_at, disabled_reason = CASE WHEN disabled_at IS NULL THEN NULL ELSE 'GONE' END::webhook_disabled_reason;
ALTER TABLE webhooks ADD CHECK ((disabled_at IS NULL) = (disabled_reason IS NULL));

-- Notes an event of the transaction's tenant, and in the outbox that it is to be sent, if anybody there is to be told.
CREATE FUNCTION webhook_event_append(of_id uuid, of_type text, of_data jsonb) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
  tenant uuid := public.current_tenant_id();
BEGIN
  IF NOT EXISTS (SELECT FROM public.webhooks w WHERE w.tenant_id = tenant AND w.disabled_at IS NULL) THEN
    RETURN false;
  END IF;
  INSERT INTO public.webhook_events (tenant_id, id, type, at, data) VALUES (tenant, of_id, of_type, clock_timestamp(), of_data);
  INSERT INTO public.outbox (tenant_id, id, topic, message)
    VALUES (tenant, of_id, 'webhooks', jsonb_build_object('eventId', of_id));
  RETURN true;
END $$;
REVOKE ALL ON FUNCTION webhook_event_append FROM PUBLIC;
GRANT EXECUTE ON FUNCTION webhook_event_append TO kindred_app;
