-- A session is the family of refresh tokens that one sign-in began. It ends with the membership it was opened for.
CREATE TABLE sessions (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  account_id uuid NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  revoked_at timestamptz(3),
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, account_id) REFERENCES memberships (tenant_id, account_id) ON DELETE CASCADE
);
CREATE INDEX sessions_account_idx ON sessions (account_id);
CREATE INDEX sessions_membership_idx ON sessions (tenant_id, account_id);

-- The digest is of 256 random bits: that it is unique over all tenants tells nobody anything.
CREATE TABLE refresh_tokens (
  tenant_id uuid NOT NULL,
  digest bytea NOT NULL UNIQUE,
  session_id uuid NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  expires_at timestamptz(3) NOT NULL,
  used_at timestamptz(3),
  PRIMARY KEY (tenant_id, digest),
  FOREIGN KEY (tenant_id, session_id) REFERENCES sessions (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX refresh_tokens_session_idx ON refresh_tokens (tenant_id, session_id);

DO $$
DECLARE name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['sessions', 'refresh_tokens'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY tenant_isolation ON %I TO kindred_app USING (tenant_id = (SELECT current_tenant_id())) WITH CHECK (tenant_id = (SELECT current_tenant_id()))', name);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO kindred_app', name);
    EXECUTE format('CREATE POLICY authentication ON %I TO kindred_auth USING (true) WITH CHECK (true)', name);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE ON %I TO kindred_auth', name);
  END LOOP;
END $$;

-- Exchanges a refresh token for its successor, once. `outcome` is REFRESHED, or why not: UNKNOWN (no such token, expired,
-- or of a session that ended), JUST_USED (within the grace), REUSED (after it: the session is ended now).
CREATE FUNCTION auth_refresh_session(used_digest bytea, next_digest bytea, next_expires_at timestamptz, grace interval)
RETURNS TABLE (outcome text, tenant_id uuid, account_id uuid, session_id uuid, role role)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
#variable_conflict use_column
DECLARE
  token public.refresh_tokens;
  family public.sessions;
  member_role public.role;
BEGIN
  SELECT * INTO token FROM public.refresh_tokens t WHERE t.digest = used_digest FOR UPDATE;
  IF NOT FOUND THEN
    RETURN QUERY SELECT 'UNKNOWN', NULL::uuid, NULL::uuid, NULL::uuid, NULL::public.role; RETURN;
  END IF;
  -- Whoever comes second waits here, and then sees what the first one did.
  SELECT * INTO family FROM public.sessions s WHERE s.tenant_id = token.tenant_id AND s.id = token.session_id FOR UPDATE;
  SELECT m.role INTO member_role FROM public.memberships m
   WHERE m.tenant_id = family.tenant_id AND m.account_id = family.account_id;
  IF family.revoked_at IS NOT NULL OR token.expires_at <= clock_timestamp() OR member_role IS NULL THEN
    RETURN QUERY SELECT 'UNKNOWN', NULL::uuid, NULL::uuid, NULL::uuid, NULL::public.role; RETURN;
  END IF;
  IF token.used_at IS NOT NULL THEN
    IF token.used_at > clock_timestamp() - grace THEN
      RETURN QUERY SELECT 'JUST_USED', family.tenant_id, family.account_id, family.id, member_role; RETURN;
    END IF;
    UPDATE public.sessions s SET revoked_at = clock_timestamp() WHERE s.tenant_id = family.tenant_id AND s.id = family.id;
    RETURN QUERY SELECT 'REUSED', family.tenant_id, family.account_id, family.id, member_role; RETURN;
  END IF;
  UPDATE public.refresh_tokens t SET used_at = clock_timestamp() WHERE t.tenant_id = token.tenant_id AND t.digest = used_digest;
  INSERT INTO public.refresh_tokens (tenant_id, digest, session_id, expires_at)
    VALUES (family.tenant_id, next_digest, family.id, next_expires_at);
  RETURN QUERY SELECT 'REFRESHED', family.tenant_id, family.account_id, family.id, member_role;
END $$;

-- Ends the session that a refresh token belongs to, used or not.
CREATE FUNCTION auth_end_session(token_digest bytea) RETURNS integer
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public BEGIN ATOMIC
  WITH ended AS (
    UPDATE public.sessions s SET revoked_at = now() FROM public.refresh_tokens t
     WHERE t.digest = token_digest AND s.tenant_id = t.tenant_id AND s.id = t.session_id AND s.revoked_at IS NULL
    RETURNING 1)
  SELECT count(*)::int FROM ended;
END;

-- Ends every session of an account, whichever tenant's.
CREATE FUNCTION auth_end_sessions(of_account uuid) RETURNS integer
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public BEGIN ATOMIC
  WITH ended AS (
    UPDATE public.sessions s SET revoked_at = now() WHERE s.account_id = of_account AND s.revoked_at IS NULL RETURNING 1)
  SELECT count(*)::int FROM ended;
END;

GRANT CREATE ON SCHEMA public TO kindred_auth;
ALTER FUNCTION auth_refresh_session OWNER TO kindred_auth;
ALTER FUNCTION auth_end_session OWNER TO kindred_auth;
ALTER FUNCTION auth_end_sessions OWNER TO kindred_auth;
REVOKE CREATE ON SCHEMA public FROM kindred_auth;
REVOKE ALL ON FUNCTION auth_refresh_session, auth_end_session, auth_end_sessions FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth_refresh_session, auth_end_session, auth_end_sessions TO kindred_app;
