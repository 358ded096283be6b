import { openOwnerSession } from './owner-session.ts';

/** Lets every event of the tenant's audit log have happened `days` days earlier, with the hashes that it would have had. */
export async function ageAuditLog(ownerUrl: string, tenantId: string, days: number): Promise<void> {
  await using owner = await openOwnerSession(ownerUrl);
  await owner.query(
    `WITH RECURSIVE aged AS (
       SELECT e.*, e.at - make_interval(days => $2) AS earlier FROM audit_events e WHERE e.tenant_id = $1
     ), chain AS (
       SELECT a.sequence, a.earlier, sha256(convert_to(tenant_id::text, 'UTF8')) AS before, ${hashAfter("sha256(convert_to(tenant_id::text, 'UTF8'))")} AS hash
         FROM aged a WHERE a.sequence = 1
       UNION ALL
       SELECT a.sequence, a.earlier, c.hash, ${hashAfter('c.hash')} FROM aged a JOIN chain c ON a.sequence = c.sequence + 1
     )
     UPDATE audit_events e SET at = c.earlier, previous_hash = c.before, hash = c.hash
       FROM chain c WHERE e.tenant_id = $1 AND e.sequence = c.sequence`,
    [tenantId, days],
  );
}

function hashAfter(before: string): string {
  return `sha256(${before} || convert_to(jsonb_build_array(a.tenant_id, a.sequence, (extract(epoch FROM a.earlier) * 1000)::bigint,
    a.actor, a.action, a.details)::text, 'UTF8'))`;
}
