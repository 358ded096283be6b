import { inject } from 'vitest';

/** Where the servers of a test run are. `postgresUrl` is the owner's, a superuser, of the maintenance database. */
export interface Infrastructure {
  postgresUrl: string;
  redisUrl: string;
  temporalAddress: string;
}

declare module 'vitest' {
  export interface ProvidedContext {
    infrastructure: Infrastructure;
  }
}

/** The servers that the run's global set-up started. */
export function testInfrastructure(): Infrastructure {
  return inject('infrastructure');
}
