import { ITEMS_CHANGED_TOPIC, readItemsChanged } from '@kindred/domain/catalog-events';
import type { TenantId, UserId } from '@kindred/domain/ids';
import { followTopic } from '@kindred/service/follow-topic';
import type { Lease } from './held-version.ts';
import { LiveTenant, type LiveTenantDeps } from './live-tenant.ts';

/** The versions in memory of the tenants that were asked for last. */
export interface Serving {
  /**
   * What a tenant is answered with; dispose of it when the answer is made.
   * @throws when the tenant is not in memory and the database does not answer.
   */
  lease(tenantId: TenantId): Promise<Lease>;
  /** Reads anew what the database says of a tenant in memory, and counts the versions that have a vector of this user. */
  refreshAndCount(tenantId: TenantId, user: { userId: UserId | null; refresh: boolean }): Promise<number>;
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
  /** Searches of one version that share a native call; 1 makes each a call of its own. */
  mostSearchesAtOnce?: number;
}

const MOST_TENANTS = 1_000;
const MOST_SEARCHES_AT_ONCE = 64;
/** Room for about 60 versions of 100,000 items and users of dimension 64. */
const MOST_BYTES = 4 * 2 ** 30;

export function createServing(options: ServingOptions): Serving {
  const { now = () => performance.now(), mostTenants = MOST_TENANTS, mostBytes = MOST_BYTES } = options;
  const { mostSearchesAtOnce = MOST_SEARCHES_AT_ONCE } = options;
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
  const stop = new AbortController();
  void followTopic(options.events, {
    topic: ITEMS_CHANGED_TOPIC,
    signal: stop.signal,
    onBegin: () => {},
    onMessage: (message) => void tenants.get(readItemsChanged(message).tenantId)?.refreshCatalogue(),
    // Catalogues in use are looked at every few seconds too.
    onLost: () => {},
  });
  const touch = (tenantId: TenantId): LiveTenant => {
    const known = tenants.get(tenantId);
    const tenant = known ?? new LiveTenant(tenantId, { ...options, now, mostSearchesAtOnce, onSwap: trim });
    tenants.delete(tenantId);
    tenants.set(tenantId, tenant);
    if (known === undefined) trim();
    return tenant;
  };
  return {
    lease: (tenantId) => touch(tenantId).lease(),
    refreshAndCount: async (tenantId, { userId, refresh }) => {
      const tenant = tenants.get(tenantId);
      if (tenant === undefined) return 0;
      if (refresh) await tenant.refresh();
      return userId === null ? 0 : tenant.countVectorsOf(userId);
    },
    held: () => ({ tenantCount: tenants.size, sizeBytes: sizeOf() }),
    close: async () => {
      stop.abort();
      const live = [...tenants.values()];
      tenants.clear();
      await Promise.all(live.map((tenant) => tenant.stop()));
    },
  };
}
