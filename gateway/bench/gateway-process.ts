// One gateway under load in a process of its own: `ours` with authentication, limits and metrics on; `stock` is
// @apollo/gateway as it comes, with none of them; `stock-client` is its executor over our connections;
// `hive` is Hive Gateway as it comes.
import { createLogger } from '@kindred/service/logger';
import type { GatewaySettings } from './start-gateway.ts';

process.env.APOLLO_TELEMETRY_DISABLED = '1';
const PLENTY = { pointsPerSecond: 10_000_000, burst: 100_000_000 };
const settings = JSON.parse(process.argv[2] ?? '') as GatewaySettings;
const logger = createLogger('bench', 'error');

async function startOurs({ urls: subgraphUrls, redisUrl, internalTokenSecret }: GatewaySettings): Promise<string> {
  const options = {
    host: '127.0.0.1',
    port: 0,
    subgraphUrls,
    internalTokenSecret,
    allowedOrigins: [],
    production: true,
    redisUrl,
    persistedDocuments: [],
    trustedProxies: 0,
    // The same machinery with more in its buckets than a benchmark spends.
    ratePolicy: { credential: PLENTY, tenant: PLENTY, address: PLENTY, anonymousAddress: PLENTY },
    logger,
  };
  const { startGateway } = await import('../src/gateway.ts');
  return `${(await startGateway(options)).url}/graphql`;
}

// Each process loads the packages of its own gateway alone: how much memory one takes is measured too.
async function startOther(): Promise<string> {
  const { startHive, startStock } = await import('./other-gateways.ts');
  return settings.variant === 'hive' ? await startHive(settings) : await startStock(settings, logger);
}

process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ cpuUs: user + system, rssMiB: process.memoryUsage.rss() / 2 ** 20 });
});
process.on('disconnect', () => process.exit());
process.send?.({ url: await (settings.variant === 'ours' ? startOurs(settings) : startOther()) });
