import { type ChildProcess, fork } from 'node:child_process';
import { GATEWAY_FLAGS } from '@kindred/service/gateway-flags';
import { ask } from './ask.ts';
import { pinGateway } from './pin.ts';
import type { SubgraphsUnderTest } from './subgraphs-under-test.ts';

export interface GatewaySettings
  extends Pick<SubgraphsUnderTest, 'urls' | 'redisUrl' | 'internalTokenSecret' | 'viewer'> {
  /** `ours`; `stock`, `stock-client` or `hive`, as gateway-process.ts has them. */
  variant: string;
  /** Where Hive Gateway is installed. */
  hiveFolder?: string | undefined;
}

/** A gateway under load, in a process of its own. */
export interface BenchGateway {
  child: ChildProcess;
  url: string;
}

/** Starts a gateway as it is deployed, on a core of its own. */
export async function startGatewayProcess(
  variant: string,
  { urls, redisUrl, internalTokenSecret, viewer }: SubgraphsUnderTest,
  hiveFolder?: string,
): Promise<BenchGateway> {
  const settings: GatewaySettings = { variant, urls, redisUrl, internalTokenSecret, viewer, hiveFolder };
  const env = { ...process.env, NODE_ENV: 'production' };
  const execArgv = variant === 'ours' ? GATEWAY_FLAGS : [];
  const child = fork(new URL('gateway-process.ts', import.meta.url), [JSON.stringify(settings)], { env, execArgv });
  const { url } = await ask<{ url: string }>(child);
  pinGateway(child.pid);
  return { child, url };
}
