-- What a tenant's publishable keys may run beside the product's own documents. `digest` is the sha256 of the text as it was
-- sent, `content_digest` that of what it says, however it is laid out.
CREATE TABLE published_documents (
  tenant_id uuid NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
  digest bytea NOT NULL CHECK (length(digest) = 32),
  content_digest bytea NOT NULL CHECK (length(content_digest) = 32),
  body text NOT NULL CHECK (length(body) BETWEEN 1 AND 32768),
  published_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, digest)
);
CREATE INDEX published_documents_tenant_id_content_digest_idx ON published_documents (tenant_id, content_digest);

ALTER TABLE published_documents ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON published_documents TO kindred_app USING (tenant_id = (SELECT current_tenant_id())) WITH CHECK (tenant_id = (SELECT current_tenant_id()));
GRANT SELECT, INSERT, DELETE ON published_documents TO kindred_app;
