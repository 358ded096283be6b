import { Client } from 'pg';
import { type AuditVerdict, type ChainedEvent, verifyAuditChain } from './audit-log.ts';

/** Verifies the audit log of every tenant, as the owner of the database, tenant by tenant. */
export async function verifyAuditLog(ownerUrl: string): Promise<Map<string, AuditVerdict>> {
  const client = new Client({ connectionString: ownerUrl, application_name: 'kindred-audit' });
  await client.connect();
  try {
    const { rows: tenants } = await client.query<{ id: string }>('SELECT id FROM tenants ORDER BY id');
    const verdicts = new Map<string, AuditVerdict>();
    for (const { id } of tenants) {
      const { rows } = await client.query<ChainedEvent>(
        `SELECT sequence::text, previous_hash AS "previousHash", hash,
                jsonb_build_array(tenant_id, sequence, (extract(epoch FROM at) * 1000)::bigint, actor, action, details)::text AS text
           FROM audit_events e WHERE tenant_id = $1 ORDER BY e.sequence`,
        [id],
      );
      verdicts.set(id, verifyAuditChain(id, rows));
    }
    return verdicts;
  } finally {
    await client.end();
  }
}
