import type { TestProject } from 'vitest/node';
import { type Infrastructure, startInfrastructure } from './infrastructure.ts';
import { openTimeSkipping, type TimeSkipping } from './open-time-skipping.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    infrastructure: Infrastructure;
    timeSkipping: TimeSkipping;
  }
}

/** The projects whose tests need no server: alone, they start none. */
const WITHOUT_SERVERS = new Set(['domain', 'core', 'scripts', 'web']);

/**
 * Gives every test one PostgreSQL, Redis and Temporal as `inject('infrastructure')`: those of TEST_INFRASTRUCTURE (JSON
 * of an `Infrastructure`), or its own, which end with the run; and those of workflows `inject('timeSkipping')`.
 */
export default async function setup(root: TestProject): Promise<(() => Promise<void>) | undefined> {
  const given = process.env.TEST_INFRASTRUCTURE;
  if (given) {
    root.provide('infrastructure', JSON.parse(given) as Infrastructure);
    root.provide('timeSkipping', { missing: 'other servers were given' });
    return undefined;
  }
  const names = root.vitest.projects.map(({ name }) => name);
  if (names.every((name) => WITHOUT_SERVERS.has(name))) return undefined;
  const tell = (message: string) => console.error(message);
  const running = await startInfrastructure(tell);
  root.provide('infrastructure', running.urls);
  if (!names.includes('workflows')) return () => running.stop();
  const skipping = await openTimeSkipping(tell);
  root.provide('timeSkipping', skipping.server);
  return async () => {
    await Promise.all([running.stop(), skipping.stop()]);
  };
}
