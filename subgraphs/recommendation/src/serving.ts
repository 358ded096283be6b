import type { TenantId } from '@kindred/domain/ids';
import type { Lease } from './held-version.ts';
import { LiveTenant, type LiveTenantDeps } from './live-tenant.ts';

/** The versions in memory of the tenants that were asked for last. */
export interface Serving {
  /**
   * What a tenant is answered with; dispose of it when the answer is made.
   * @throws when the tenant is not in memory and the database does not answer.
   */
  lease(tenantId: TenantId): Promise<Lease>;
  /** What is in memory now. */
  held: () => { tenantCount: number; sizeBytes: number };
  close(): Promise<void>;
}

export interface ServingOptions extends Pick<LiveTenantDeps, 'db' | 'objects' | 'events' | 'logger' | 'figures'> {
  /** A monotonic clock in milliseconds. */
  now?: () => number;
  /** Above either bound the tenants that were asked for longest ago are let go; the last one never is. */
  mostTenants?: number;
  mostBytes?: number;
}

const MOST_TENANTS = 1_000;
/** Room for about 60 versions of 100,000 items and users of dimension 64. */
const MOST_BYTES = 4 * 2 ** 30;

export function createServing(options: ServingOptions): Serving {
  const { now = () => performance.now(), mostTenants = MOST_TENANTS, mostBytes = MOST_BYTES } = options;
  /** The longest unused first. */
  const tenants = new Map<TenantId, LiveTenant>();
  const sizeOf = () => [...tenants.values()].reduce((sum, tenant) => sum + tenant.sizeBytes, 0);
  const trim = () => {
    let sizeBytes = sizeOf();
    for (const [tenantId, tenant] of [...tenants].slice(0, -1)) {
      if (tenants.size <= mostTenants && sizeBytes <= mostBytes) return;
      sizeBytes -= tenant.sizeBytes;
      tenants.delete(tenantId);
      void tenant.stop();
    }
  };
  const touch = (tenantId: TenantId): LiveTenant => {
    const known = tenants.get(tenantId);
    const tenant = known ?? new LiveTenant(tenantId, { ...options, now, onSwap: trim });
    tenants.delete(tenantId);
    tenants.set(tenantId, tenant);
    if (known === undefined) trim();
    return tenant;
  };
  return {
    lease: (tenantId) => touch(tenantId).lease(),
    held: () => ({ tenantCount: tenants.size, sizeBytes: sizeOf() }),
    close: async () => {
      const live = [...tenants.values()];
      tenants.clear();
      await Promise.all(live.map((tenant) => tenant.stop()));
    },
  };
}
