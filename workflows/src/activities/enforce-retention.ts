import { findRetentionPolicy, listRetentionTenants, pruneInteractions, pruneVersions } from '@kindred/db/retention';
import { withTenant } from '@kindred/db/tenants';
import type { TenantId } from '@kindred/domain/ids';
import { versionFolder } from '@kindred/domain/version-manifest';
import { Context } from '@temporalio/activity';
import type { ActivityDeps } from './create-activities.ts';

/** What was deleted of one tenant. */
export interface Pruned {
  interactionCount: number;
  versionCount: number;
}

const DAY_MS = 86_400_000;

/** A batch is a transaction of some tens of milliseconds: nobody waits for it. */
const BATCH_SIZE = 5_000;

/** The tenants that keep something for a limited time only. */
export async function findRetentionTenants({ db }: ActivityDeps): Promise<TenantId[]> {
  return listRetentionTenants(db);
}

/** Deletes what is older than the tenant wants to keep it; an attempt that takes over goes on behind the last batch. */
export async function pruneTenant(deps: ActivityDeps, { tenantId }: { tenantId: TenantId }): Promise<Pruned> {
  const { interactionDays, versionDays } = await withTenant(deps.db, tenantId, findRetentionPolicy);
  const interactionCount = interactionDays === null ? 0 : await pruneOld(deps, tenantId, daysAgo(interactionDays));
  const versionCount = versionDays === null ? 0 : await pruneFiles(deps, tenantId, daysAgo(versionDays));
  return { interactionCount, versionCount };
}

async function pruneOld({ db }: ActivityDeps, tenantId: TenantId, before: Date): Promise<number> {
  const { info, heartbeat, cancellationSignal } = Context.current();
  const reached = info.heartbeatDetails as { afterId: string; count: number } | undefined;
  let { afterId, count } = reached ?? { afterId: null, count: 0 };
  do {
    cancellationSignal.throwIfAborted();
    const page = { before, afterId, limit: BATCH_SIZE };
    const { lastId, deletedCount } = await withTenant(db, tenantId, (tx) => pruneInteractions(tx, page));
    count += deletedCount;
    afterId = lastId;
    if (afterId !== null) heartbeat({ afterId, count });
  } while (afterId !== null);
  return count;
}

async function pruneFiles({ db, objects }: ActivityDeps, tenantId: TenantId, before: Date): Promise<number> {
  const versionIds = await withTenant(db, tenantId, (tx) => pruneVersions(tx, before));
  for (const versionId of versionIds) {
    await objects.delete(versionFolder(tenantId, versionId));
  }
  return versionIds.length;
}

function daysAgo(days: number): Date {
  return new Date(Date.now() - days * DAY_MS);
}
