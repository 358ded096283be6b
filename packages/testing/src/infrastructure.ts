import { inject } from 'vitest';

/** Where the servers of a test run are. `postgresUrl` is the owner's, a superuser, of the maintenance database. */
export interface Infrastructure {
  postgresUrl: string;
  redisUrl: string;
  temporalAddress: string;
}

/** Temporal's server with a clock that jumps, or why this machine has none. */
export type TimeSkipping = { address: string } | { missing: string };

declare module 'vitest' {
  export interface ProvidedContext {
    infrastructure: Infrastructure;
    timeSkipping: TimeSkipping;
  }
}

/** The servers that the run's global set-up started. */
export function testInfrastructure(): Infrastructure {
  return inject('infrastructure');
}

/** The server for tests of waits of hours; only a run that includes the project `workflows` has one. */
export function timeSkippingServer(): TimeSkipping {
  return inject('timeSkipping');
}
