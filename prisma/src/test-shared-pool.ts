import type { TenantId } from '@kindred/domain/ids';
import type { Db } from './client.ts';
import { upsertItems } from './items.ts';
import { type TenantTx, withTenant } from './tenants.ts';

/** One of ten requests ends before its commit. */
const ABORTED_EVERY = 10;
/** Of twenty that end so, ten throw, nine are cancelled by the server within a statement, and one's connection dies. */
const ABORTS_PER_DEATH = 20;
const CANCELLED_OF_ABORTS = 9;
/** Of those that commit, one of ten writes before it reads; those that do not all write. */
const WRITES_EVERY = 10;
const ITEMS_PER_TENANT = 5;

type Ending = 'done' | 'thrown' | 'cancelled' | 'killed';

export interface PoolReport {
  requests: number;
  endings: Record<Ending, number>;
  /** Of rows that a request saw and that are another tenant's, or of a write that was not committed. */
  foreignBytes: number;
}

class Thrown extends Error {
  override readonly name = 'Thrown';
}

/** How a tenant's request ends: tenants die at different times, since all at once would be a restart of the server. */
function endingOf(number: number, position: number): Ending {
  if ((number + position) % ABORTED_EVERY !== 0) return 'done';
  const turn = (Math.floor((number + position) / ABORTED_EVERY) + position) % ABORTS_PER_DEATH;
  if (turn === 0) return 'killed';
  return turn <= CANCELLED_OF_ABORTS ? 'cancelled' : 'thrown';
}

/**
 * Requests of all tenants on the pool of `db`, one of each tenant at a time. Each reads all that it can see without naming its
 * tenant, so that row-level security alone stands between it and the others; `report` grows while it runs.
 */
export async function pressSharedPool(
  db: Db,
  tenantIds: readonly TenantId[],
  { requestsPerTenant, report }: { requestsPerTenant: number; report: PoolReport },
): Promise<void> {
  await Promise.all(
    tenantIds.map(async (tenantId, position) => {
      await withTenant(db, tenantId, (tx) => writeItems(tx, canaryOf(tenantId)));
      for (let number = 0; number < requestsPerTenant; number++) {
        const ending = endingOf(number, position);
        const writes = number % WRITES_EVERY === 0;
        report.foreignBytes += await request(db, tenantId, { ending, writes });
        report.endings[ending] += 1;
        report.requests += 1;
      }
    }),
  );
}

export function newPoolReport(): PoolReport {
  return { requests: 0, endings: { done: 0, thrown: 0, cancelled: 0, killed: 0 }, foreignBytes: 0 };
}

const canaryOf = (tenantId: TenantId) => `canary ${tenantId}`;

async function writeItems(tx: TenantTx, title: string): Promise<void> {
  const items = Array.from({ length: ITEMS_PER_TENANT }, (_, at) => ({ externalId: `item-${at}`, title }));
  await upsertItems(
    tx,
    items.map((item) => ({ ...item, categories: [], properties: {} })),
  );
}

/** The foreign bytes that a request saw. @throws when it does not end as it is to. */
async function request(
  db: Db,
  tenantId: TenantId,
  { ending, writes }: { ending: Ending; writes: boolean },
): Promise<number> {
  let foreignBytes = 0;
  try {
    await withTenant(db, tenantId, async (tx) => {
      if (ending !== 'done') await writeItems(tx, `aborted ${tenantId}`);
      else if (writes) await writeItems(tx, canaryOf(tenantId));
      const title = ending === 'done' ? canaryOf(tenantId) : `aborted ${tenantId}`;
      foreignBytes = await readForeignBytes(tx, title);
      if (ending === 'thrown') throw new Thrown(`Tenant ${tenantId} gives up`);
      if (ending === 'cancelled')
        await tx.client.$queryRaw`SELECT pg_cancel_backend(pg_backend_pid()), pg_sleep(5)::text`;
      if (ending === 'killed')
        await tx.client.$queryRaw`SELECT pg_terminate_backend(pg_backend_pid()), pg_sleep(5)::text`;
    });
  } catch (error) {
    // On a machine that is busy elsewhere the pool gives no connection in time: refused, and so far unasked.
    if (isUnstarted(error)) return request(db, tenantId, { ending, writes });
    if (ending === 'done' || (ending === 'thrown' && !(error instanceof Thrown))) throw error;
    return foreignBytes;
  }
  if (ending !== 'done') throw new Error(`A request of tenant ${tenantId} committed that was to be ${ending}`);
  return foreignBytes;
}

/** Of all tenants' rows and items: what is neither the tenant's own row nor one of its five items under `title`. */
async function readForeignBytes({ client, tenantId }: TenantTx, title: string): Promise<number> {
  const [seen] = await client.$queryRaw<{ tenants: string[]; items: string[] }[]>`
    SELECT array(SELECT id::text FROM tenants) AS tenants, array(SELECT tenant_id::text || ' ' || title FROM items) AS items`;
  if (seen === undefined) throw new Error(`Tenant ${tenantId} got no answer`);
  const own = `${tenantId} ${title}`;
  const foreign = [...seen.tenants.filter((id) => id !== tenantId), ...seen.items.filter((item) => item !== own)];
  const owned = seen.tenants.length + seen.items.length - foreign.length;
  if (owned !== 1 + ITEMS_PER_TENANT) {
    throw new Error(`Wanted the tenant and ${ITEMS_PER_TENANT} items of ${tenantId}, got ${owned} rows of it`);
  }
  return foreign.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
}

function isUnstarted(error: unknown): boolean {
  return error instanceof Error && error.message.includes('Unable to start a transaction in the given time');
}
