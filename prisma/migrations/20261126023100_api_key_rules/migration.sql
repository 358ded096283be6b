ALTER TABLE api_keys
  ADD COLUMN scopes text[],
  ADD COLUMN allowed_origins text[] NOT NULL DEFAULT '{}',
  ADD COLUMN expires_at timestamptz(3),
  ADD COLUMN last_used_at timestamptz(3),
  ADD COLUMN replaces_id uuid,
  ADD FOREIGN KEY (tenant_id, replaces_id) REFERENCES api_keys (tenant_id, id) ON DELETE CASCADE;

-- Until now a key could do what its kind can. Forced row-level security hides the rows even from their owner.
ALTER TABLE api_keys NO FORCE ROW LEVEL SECURITY;
UPDATE api_keys SET scopes = CASE kind
  WHEN 'PUBLISHABLE' THEN ARRAY['recommendations:read', 'interactions:write', 'catalog:read']
  ELSE ARRAY['tenant:read', 'catalog:read', 'models:read', 'recommendations:read', 'catalog:write', 'interactions:write', 'models:train']
END;
ALTER TABLE api_keys FORCE ROW LEVEL SECURITY;
ALTER TABLE api_keys ALTER COLUMN scopes SET NOT NULL;

-- A key has one live successor: a rotation has two live keys, never three.
CREATE UNIQUE INDEX api_keys_one_successor ON api_keys (tenant_id, replaces_id) WHERE revoked_at IS NULL;

GRANT UPDATE (last_used_at) ON api_keys TO kindred_auth;
CREATE POLICY last_use ON api_keys FOR UPDATE TO kindred_auth USING (true) WITH CHECK (true);

DROP FUNCTION auth_find_api_key;
-- The live API key with this digest. Its last use is kept to the minute, so that most look-ups write nothing.
CREATE FUNCTION auth_find_api_key(wanted_digest bytea)
RETURNS TABLE (tenant_id uuid, api_key_id uuid, scopes text[], allowed_origins text[], expires_at timestamptz)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public BEGIN ATOMIC
  UPDATE public.api_keys k SET last_used_at = now()
   WHERE k.digest = wanted_digest AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())
     AND (k.last_used_at IS NULL OR k.last_used_at < now() - interval '1 minute');
  SELECT k.tenant_id, k.id, k.scopes, k.allowed_origins, k.expires_at FROM public.api_keys k
   WHERE k.digest = wanted_digest AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now());
END;
GRANT CREATE ON SCHEMA public TO kindred_auth;
ALTER FUNCTION auth_find_api_key OWNER TO kindred_auth;
REVOKE CREATE ON SCHEMA public FROM kindred_auth;
REVOKE ALL ON FUNCTION auth_find_api_key FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth_find_api_key TO kindred_app;
