import { findTenants, withTenant } from '@kindred/db/tenants';
import { findAllowance, recordUsage as addToLedger } from '@kindred/db/usage';
import { decodeGlobalId } from '@kindred/domain/ids';
import type { TenantServices } from './context.ts';
import type { QueryTenantAllowanceArgs, RecordUsageInput, RecordUsagePayload } from './generated/resolvers.ts';

type Services = Pick<TenantServices, 'db'>;

/** A tenant's plan and what its ledger says of a month; null when there is no such tenant. */
export async function findTenantAllowance({ db }: Services, { tenantId, month }: QueryTenantAllowanceArgs) {
  return await withTenant(db, decodeGlobalId('Tenant', tenantId), (tx) => findAllowance(tx, month));
}

/** Adds a gateway's batch to the ledgers of its tenants, each in a transaction of its own: what is there stays, if one fails. */
export async function recordUsage({ db }: Services, input: RecordUsageInput): Promise<RecordUsagePayload> {
  for (const [tenantId, entries] of Map.groupBy(input.entries, (entry) => entry.tenantId)) {
    await withTenant(db, decodeGlobalId('Tenant', tenantId), async (tx) => {
      // A tenant that has been ended since has no ledger.
      if ((await findTenants(tx, [tx.tenantId])).length === 0) return;
      await addToLedger(tx, input.batchId, entries);
    });
  }
  return { entryCount: input.entries.length, userErrors: [] };
}
