-- What a published document is called, by its operation, and who published it, as the audit log names them.
ALTER TABLE published_documents ADD COLUMN name text, ADD COLUMN publisher jsonb;
UPDATE published_documents d SET
  name = substring(d.body FROM '(?n)^[[:space:],]*(?:query|mutation|subscription)[[:space:]]+([_A-Za-z][_0-9A-Za-z]*)'),
  publisher = (
    SELECT e.actor FROM audit_events e
     WHERE e.tenant_id = d.tenant_id AND e.action = 'publishDocuments'
       AND e.details->'documentIds' ? ('sha256:' || encode(d.digest, 'hex'))
     ORDER BY e.sequence LIMIT 1);
