import type { TenantId } from '@kindred/domain/ids';
import { Client } from 'pg';
import {
  type AuditVerdict,
  CHAIN_START,
  CHAINED_EVENTS,
  type ChainedEvent,
  type ChainStart,
  type RawChainStart,
  readChainStart,
  verifyAuditChain,
} from './audit-log.ts';
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
      verdicts.set(id, await verifyAsOwner(client, id));
    }
    return verdicts;
  } finally {
    await client.end();
  }
}

/** In one snapshot: a pruning meanwhile takes nothing from under it. */
async function verifyAsOwner(client: Client, tenantId: string): Promise<AuditVerdict> {
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  const { rows: starts } = await client.query<RawChainStart>(CHAIN_START, [tenantId]);
  const statement = `${CHAINED_EVENTS} WHERE tenant_id = $1 ORDER BY e.sequence`;
  const { rows } = await client.query<ChainedEvent>(statement, [tenantId]);
  await client.query('COMMIT');
  return verifyAuditChain(tenantId, readChainStart(starts[0]), rows);
}

/** Verifies the audit log of one tenant, as the application sees it, a thousand events at a time. */
export async function verifyTenantAuditLog(db: Db, tenantId: TenantId): Promise<AuditVerdict> {
  let start = await findChainStart(db, tenantId);
  while (true) {
    const verdict = await verifyAuditChain(tenantId, start, readChain(db, tenantId));
    const now = verdict.problem === null ? start : await findChainStart(db, tenantId);
    // What looked like a gap was a pruning meanwhile.
    if (now.anchor?.sequence === start.anchor?.sequence) return verdict;
    start = now;
  }
}

async function findChainStart(db: Db, tenantId: TenantId): Promise<ChainStart> {
  const rows = await withTenant(db, tenantId, (tx) =>
    tx.client.$queryRawUnsafe<RawChainStart[]>(CHAIN_START, tenantId),
  );
  return readChainStart(rows[0]);
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
