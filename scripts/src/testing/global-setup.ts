import type { TestProject } from 'vitest/node';
import { type Infrastructure, startInfrastructure } from './infrastructure.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    infrastructure: Infrastructure;
  }
}

/** The projects whose tests need no server: alone, they start none. */
const WITHOUT_SERVERS = new Set(['domain', 'core', 'scripts', 'web']);

/**
 * Gives every test one PostgreSQL, Redis and Temporal as `inject('infrastructure')`: those of TEST_INFRASTRUCTURE (JSON
 * of an `Infrastructure`), or its own, which end with the run.
 */
export default async function setup(root: TestProject): Promise<(() => Promise<void>) | undefined> {
  const given = process.env.TEST_INFRASTRUCTURE;
  if (given) {
    root.provide('infrastructure', JSON.parse(given) as Infrastructure);
    return undefined;
  }
  if (root.vitest.projects.every(({ name }) => WITHOUT_SERVERS.has(name))) return undefined;
  const running = await startInfrastructure((message) => console.error(message));
  root.provide('infrastructure', running.urls);
  return () => running.stop();
}
