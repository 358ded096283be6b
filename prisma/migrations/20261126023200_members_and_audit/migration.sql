DO $$ BEGIN
  CREATE ROLE kindred_audit NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;
GRANT kindred_audit TO CURRENT_USER;
GRANT USAGE ON SCHEMA public TO kindred_audit;

-- An invitation is a link: whoever has it joins, once. Only the digest of its 256 random bits is kept.
CREATE TABLE invitations (
  tenant_id uuid NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
  id uuid NOT NULL,
  role role NOT NULL,
  digest bytea NOT NULL UNIQUE,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  expires_at timestamptz(3) NOT NULL,
  accepted_at timestamptz(3),
  revoked_at timestamptz(3),
  PRIMARY KEY (tenant_id, id)
);

-- Each event carries the hash of the one before: none can be changed, left out or put in without the rest telling.
CREATE TABLE audit_events (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  sequence bigint NOT NULL,
  at timestamptz(3) NOT NULL,
  actor jsonb NOT NULL,
  action text NOT NULL,
  details jsonb NOT NULL,
  previous_hash bytea NOT NULL,
  hash bytea NOT NULL,
  PRIMARY KEY (tenant_id, sequence)
);

DO $$
DECLARE name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['invitations', 'audit_events'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY tenant_isolation ON %I TO kindred_app USING (tenant_id = (SELECT current_tenant_id())) WITH CHECK (tenant_id = (SELECT current_tenant_id()))', name);
  END LOOP;
END $$;
GRANT SELECT, INSERT, UPDATE ON invitations TO kindred_app;
GRANT SELECT ON audit_events TO kindred_app;
-- Nobody has a right to change or delete an event: the one role that writes them can add only.
GRANT SELECT, INSERT ON audit_events TO kindred_audit;
CREATE POLICY appending ON audit_events TO kindred_audit
  USING (tenant_id = (SELECT current_tenant_id())) WITH CHECK (tenant_id = (SELECT current_tenant_id()));

-- Appends to the log of the transaction's tenant; one transaction of a tenant at a time.
CREATE FUNCTION audit_append(of_actor jsonb, of_action text, of_details jsonb) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
  tenant uuid := public.current_tenant_id();
  last public.audit_events;
  next_at timestamptz(3);
  next_sequence bigint;
  before bytea;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('audit_events/' || tenant::text, 0));
  SELECT * INTO last FROM public.audit_events e WHERE e.tenant_id = tenant ORDER BY e.sequence DESC LIMIT 1;
  next_sequence := coalesce(last.sequence, 0) + 1;
  before := coalesce(last.hash, sha256(convert_to(tenant::text, 'UTF8')));
  next_at := clock_timestamp();
  INSERT INTO public.audit_events (tenant_id, sequence, at, actor, action, details, previous_hash, hash)
  VALUES (tenant, next_sequence, next_at, of_actor, of_action, of_details, before, sha256(before || convert_to(
    jsonb_build_array(tenant, next_sequence, (extract(epoch FROM next_at) * 1000)::bigint, of_actor, of_action, of_details)::text, 'UTF8')));
  RETURN next_sequence;
END $$;

-- Platform operators are named by whoever owns the database; the application can only ask.
CREATE TABLE operators (
  account_id uuid PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
  created_at timestamptz(3) NOT NULL DEFAULT now()
);
ALTER TABLE operators ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY authentication ON operators FOR SELECT TO kindred_auth USING (true);
GRANT SELECT ON operators TO kindred_auth;
CREATE FUNCTION auth_is_operator(of_account uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public BEGIN ATOMIC
  SELECT EXISTS (SELECT FROM public.operators o WHERE o.account_id = of_account);
END;

GRANT SELECT, UPDATE ON invitations TO kindred_auth;
CREATE POLICY authentication ON invitations TO kindred_auth USING (true) WITH CHECK (true);

-- Takes an invitation for an account; `new_email` makes that account first. `outcome` is JOINED, MEMBER (the account was
-- in already; the invitation stays), or UNKNOWN (no such invitation, used, withdrawn or expired).
CREATE FUNCTION auth_accept_invitation(
  of_digest bytea, of_account uuid, new_email text, new_display_name text, new_password_hash text
) RETURNS TABLE (outcome text, tenant_id uuid, role role)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
#variable_conflict use_column
DECLARE
  invitation public.invitations;
BEGIN
  SELECT * INTO invitation FROM public.invitations i WHERE i.digest = of_digest FOR UPDATE;
  IF NOT FOUND OR invitation.accepted_at IS NOT NULL OR invitation.revoked_at IS NOT NULL
     OR invitation.expires_at <= clock_timestamp() THEN
    RETURN QUERY SELECT 'UNKNOWN', NULL::uuid, NULL::public.role; RETURN;
  END IF;
  IF EXISTS (SELECT FROM public.memberships m WHERE m.tenant_id = invitation.tenant_id AND m.account_id = of_account) THEN
    RETURN QUERY SELECT 'MEMBER', NULL::uuid, NULL::public.role; RETURN;
  END IF;
  IF new_email IS NOT NULL THEN
    INSERT INTO public.accounts (id, email, display_name, password_hash)
      VALUES (of_account, new_email, new_display_name, new_password_hash);
  END IF;
  INSERT INTO public.memberships (tenant_id, account_id, role) VALUES (invitation.tenant_id, of_account, invitation.role);
  UPDATE public.invitations i SET accepted_at = clock_timestamp() WHERE i.tenant_id = invitation.tenant_id AND i.id = invitation.id;
  RETURN QUERY SELECT 'JOINED', invitation.tenant_id, invitation.role;
END $$;

GRANT CREATE ON SCHEMA public TO kindred_auth, kindred_audit;
ALTER FUNCTION audit_append OWNER TO kindred_audit;
ALTER FUNCTION auth_is_operator OWNER TO kindred_auth;
ALTER FUNCTION auth_accept_invitation OWNER TO kindred_auth;
REVOKE CREATE ON SCHEMA public FROM kindred_auth, kindred_audit;
REVOKE ALL ON FUNCTION audit_append, auth_is_operator, auth_accept_invitation FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit_append, auth_is_operator, auth_accept_invitation TO kindred_app;
