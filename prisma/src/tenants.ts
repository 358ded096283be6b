import type { TenantId } from '@kindred/domain/ids';
import type { PlanName } from '@kindred/domain/plans';
import { CONNECTION_WAIT_MS, type Db } from './client.ts';
import { Prisma } from './generated/client.ts';
import { readAsTenant } from './read-as-tenant.ts';
import { translateDatabaseError } from './translate-database-error.ts';

/** Longer than any statement may take, so that a transaction ends by its statement's error. */
const TRANSACTION_TIMEOUT_MS = 30_000;

declare const scoped: unique symbol;

/** A transaction in which one tenant's rows exist. Only `withTenant` makes one. */
export interface TenantTx {
  readonly tenantId: TenantId;
  readonly client: Prisma.TransactionClient;
  readonly [scoped]: true;
}

export interface TenantRow {
  id: TenantId;
  name: string;
  slug: string;
  demoSource: string | null;
  simulated: boolean;
  createdAt: Date;
  plan: PlanName;
}

/**
 * Runs `work` in one transaction that sees and writes the rows of `tenantId` alone; a throw rolls back.
 * Wait for no network inside it.
 */
export async function withTenant<T>(db: Db, tenantId: TenantId, work: (tx: TenantTx) => Promise<T>): Promise<T> {
  try {
    return await db.prisma.$transaction(
      async (client) => {
        // UTC because adapter-pg writes and reads times without an offset.
        await client.$queryRaw`
          SELECT set_config('app.tenant_id', ${tenantId}, true), set_config('timezone', 'UTC', true),
                 set_config('statement_timeout', '20s', true), set_config('lock_timeout', '10s', true),
                 set_config('idle_in_transaction_session_timeout', '15s', true)`;
        return work({ tenantId, client } as TenantTx);
      },
      { maxWait: CONNECTION_WAIT_MS, timeout: TRANSACTION_TIMEOUT_MS },
    );
  } catch (error) {
    throw translateDatabaseError(error);
  }
}

/** The tenants of `ids` that the transaction's tenant may see: itself. */
export async function findTenants(tx: TenantTx, ids: readonly TenantId[]): Promise<TenantRow[]> {
  return (await tx.client.tenant.findMany({ where: { id: { in: [...ids] } } })) as TenantRow[];
}

/** What `findTenants` finds, in a transaction of its own and one round trip. */
export async function readTenants(db: Db, tenantId: TenantId, ids: readonly TenantId[]): Promise<TenantRow[]> {
  const statement = Prisma.sql`
    SELECT id, name, slug, demo_source AS "demoSource", simulated, created_at AS "createdAt", plan
      FROM tenants WHERE id = ANY (${[...ids]}::uuid[])`;
  return await readAsTenant<TenantRow>(db, tenantId, { name: 'tenants', statement, isPlannedOnce: true });
}
