import type { TenantId } from '@kindred/domain/ids';
import { Client } from 'pg';
import { type AuditVerdict, CHAINED_EVENTS, type ChainedEvent, verifyAuditChain } from './audit-log.ts';
import type { Db } from './client.ts';
import { withTenant } from './tenants.ts';

const PAGE_SIZE = 1_000;

/** Verifies the audit log of every tenant, as the owner of the database, tenant by tenant. */
export async function verifyAuditLog(ownerUrl: string): Promise<Map<string, AuditVerdict>> {
  const client = new Client({ connectionString: ownerUrl, application_name: 'kindred-audit' });
  await client.connect();
  try {
    const { rows: tenants } = await client.query<{ id: string }>('SELECT id FROM tenants ORDER BY id');
    const verdicts = new Map<string, AuditVerdict>();
    for (const { id } of tenants) {
      const statement = `${CHAINED_EVENTS} WHERE tenant_id = $1 ORDER BY e.sequence`;
      const { rows } = await client.query<ChainedEvent>(statement, [id]);
      verdicts.set(id, await verifyAuditChain(id, rows));
    }
    return verdicts;
  } finally {
    await client.end();
  }
}

/** Verifies the audit log of one tenant, as the application sees it, a thousand events at a time. */
export function verifyTenantAuditLog(db: Db, tenantId: TenantId): Promise<AuditVerdict> {
  return verifyAuditChain(tenantId, readChain(db, tenantId));
}

async function* readChain(db: Db, tenantId: TenantId): AsyncGenerator<ChainedEvent> {
  let after = '0';
  while (true) {
    const statement = `${CHAINED_EVENTS} WHERE tenant_id = $1::uuid AND e.sequence > $2::bigint ORDER BY e.sequence LIMIT $3`;
    const page = await withTenant(db, tenantId, (tx) =>
      tx.client.$queryRawUnsafe<RawEvent[]>(statement, tenantId, after, PAGE_SIZE),
    );
    for (const event of page) {
      yield { ...event, previousHash: Buffer.from(event.previousHash), hash: Buffer.from(event.hash) };
    }
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE_SIZE) return;
    after = last.sequence;
  }
}

type RawEvent = Omit<ChainedEvent, 'previousHash' | 'hash'> & Record<'previousHash' | 'hash', Uint8Array>;
