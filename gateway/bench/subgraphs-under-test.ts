import { type ChildProcess, fork } from 'node:child_process';
import { newId, type TenantId } from '@kindred/domain/ids';
import { scopesOfApiKeyKind, type Viewer } from '@kindred/domain/viewer';
import type { SubgraphName } from '../src/subgraphs.ts';
import { ask } from './ask.ts';
import { startRedis } from './redis.ts';
import { createBenchTokens } from './tokens.ts';

/** The subgraphs that gateways are measured on. */
export interface SubgraphsUnderTest extends Disposable {
  urls: Record<SubgraphName, string>;
  redisUrl: string;
  internalTokenSecret: string;
  /** Of each connection. */
  tokens: string[];
  /** For whom gateways sign that authenticate nobody; undefined where nothing looks at signatures. */
  viewer: Viewer | undefined;
  /** The user for whom a connection asks the n-th time. */
  userOf(connection: number, count: number): string;
  /** How many requests came so far; undefined where they are not counted. */
  countRequests(): Promise<number | undefined>;
  /** The process they run in, or whose children they are. */
  process: ChildProcess;
}

export interface SubgraphOptions {
  connections: number;
  /** Whether all connections have the same credential. */
  areOne: boolean;
}

/** Stubs that answer at once what they are asked for: what is left is the gateway's own work. */
export async function startStubs({ connections, areOne }: SubgraphOptions): Promise<SubgraphsUnderTest> {
  const redis = await startRedis();
  const { tokens, publicKey } = await createBenchTokens({ count: connections, areOne });
  const stubs = fork(new URL('stub-subgraphs.ts', import.meta.url));
  const { urls } = await ask<Pick<SubgraphsUnderTest, 'urls'>>(stubs);
  await ask(stubs, { publicKey });
  return {
    urls,
    redisUrl: redis.url,
    internalTokenSecret: 'a secret of the benchmark, long enough',
    tokens,
    viewer: undefined,
    userOf: (connection, count) => `u${connection}-${count}`,
    countRequests: async () => (await ask<{ requests: number }>(stubs, {})).requests,
    process: stubs,
    [Symbol.dispose]: () => {
      stubs.disconnect();
      redis.stop();
    },
  };
}

/** What the process of the real subgraphs tells when they have a tenant to serve. */
interface RealSubgraphs {
  urls: Record<SubgraphName, string>;
  redisUrl: string;
  internalTokenSecret: string;
  tenantId: TenantId;
  /** A secret API key of the tenant. */
  credential: string;
  /** Users are called `user-0` and so on. */
  userCount: number;
}

/** The real subgraphs as they are deployed, with PostgreSQL, Redis and a generated tenant of 10,000 items. */
export async function startRealSubgraphs({ connections }: SubgraphOptions): Promise<SubgraphsUnderTest> {
  const platform = fork(new URL('../../scripts/bench/real-subgraphs.ts', import.meta.url));
  const { tenantId, credential, userCount, ...at } = await ask<RealSubgraphs>(platform);
  return {
    ...at,
    tokens: Array.from({ length: connections }, () => credential),
    viewer: { kind: 'apiKey', apiKeyId: newId('ApiKey'), tenantId, scopes: scopesOfApiKeyKind('SECRET') },
    userOf: (connection, count) => `user-${(connection + count * connections) % userCount}`,
    countRequests: () => Promise.resolve(undefined),
    process: platform,
    [Symbol.dispose]: () => platform.disconnect(),
  };
}
