import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

/** Where Node keeps what it makes of sources, as `npm start` and the image have it. */
const COMPILE_CACHE = join(tmpdir(), 'kindred-bench-compile-cache');

/** Starts a gateway as it is deployed, on a core of its own, after another that has left behind what Node made of its sources. */
export async function startGatewayProcess(
  variant: string,
  { urls, redisUrl, internalTokenSecret, viewer }: SubgraphsUnderTest,
  hiveFolder?: string,
): Promise<BenchGateway> {
  const settings: GatewaySettings = { variant, urls, redisUrl, internalTokenSecret, viewer, hiveFolder };
  const { child: first } = await startOne(settings);
  first.disconnect();
  await once(first, 'exit');
  const gateway = await startOne(settings);
  pinGateway(gateway.child.pid);
  return gateway;
}

async function startOne(settings: GatewaySettings): Promise<BenchGateway> {
  const env = { ...process.env, NODE_ENV: 'production', NODE_COMPILE_CACHE: COMPILE_CACHE };
  const execArgv = settings.variant === 'ours' ? GATEWAY_FLAGS : [];
  const child = fork(new URL('gateway-process.ts', import.meta.url), [JSON.stringify(settings)], { env, execArgv });
  const { url } = await ask<{ url: string }>(child);
  return { child, url };
}
