import type { Caller } from './caller.ts';

/** Open connections that one tenant may have at one gateway; a page of a dashboard has one. */
const MAX_PER_TENANT = 5_000;
const MAX_PER_ANONYMOUS_ADDRESS = 20;

/** Counts the connections that stay open, so that no tenant takes all of them. */
export interface ConnectionLimits {
  /** Takes a place; undefined when there is none. What it returns gives the place back, once. */
  take(caller: Caller): (() => void) | undefined;
}

export function createConnectionLimits(
  limits: { perTenant?: number | undefined; perAnonymousAddress?: number | undefined } = {},
): ConnectionLimits {
  const { perTenant = MAX_PER_TENANT, perAnonymousAddress = MAX_PER_ANONYMOUS_ADDRESS } = limits;
  const counts = new Map<string, number>();
  return {
    take: ({ credential: { viewer }, address }) => {
      const known = 'tenantId' in viewer;
      const key = known ? `tenant ${viewer.tenantId}` : `address ${address}`;
      const count = counts.get(key) ?? 0;
      if (count >= (known ? perTenant : perAnonymousAddress)) return undefined;
      counts.set(key, count + 1);
      let isGiven = false;
      return () => {
        if (isGiven) return;
        isGiven = true;
        const left = (counts.get(key) ?? 1) - 1;
        if (left === 0) counts.delete(key);
        else counts.set(key, left);
      };
    },
  };
}
