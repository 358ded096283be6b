import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { readEnv, chooseProductionBuilds } from './env.ts';
import { createMetrics } from './metrics.ts';

const DRAIN_LIMIT_MS = 10_000;

async function main(): Promise<void> {
  const env = readEnv();
  const logger = pino({ name: 'web', level: env.logLevel });
  chooseProductionBuilds();
  const { default: next } = await import('next');
  const dir = fileURLToPath(new URL('..', import.meta.url));
  const app = next({ dev: false, dir, hostname: env.host, port: env.port });
  await app.prepare();
  const handlePage = app.getRequestHandler();
  const metrics = createMetrics();
  let draining = false;

  const answerPage = (request: IncomingMessage, response: ServerResponse): void => {
    metrics.observe(request, response);
    handlePage(request, response).catch((cause: unknown) => {
      logger.error({ err: cause, url: request.url }, 'page failed');
      response.destroy();
    });
  };
  const server = createServer((request, response) => {
    const path = (request.url ?? '/').split('?')[0];
    if (path === '/health/live') {
      response.end('live');
    } else if (path === '/health/ready') {
      response.statusCode = draining ? 503 : 200;
      response.end(draining ? 'draining' : 'ready');
    } else if (path === '/metrics') {
      void metrics.answer(response);
    } else {
      answerPage(request, response);
    }
  });

  const drain = (signal: NodeJS.Signals): void => {
    if (draining) return;
    draining = true;
    logger.info({ signal }, 'draining');
    const limit = setTimeout(() => server.closeAllConnections(), DRAIN_LIMIT_MS);
    server.close(() => {
      clearTimeout(limit);
      void app.close().finally(() => process.exit(0));
    });
    server.closeIdleConnections();
  };
  process.on('SIGTERM', drain);
  process.on('SIGINT', drain);

  server.listen(env.port, env.host);
  await once(server, 'listening');
  const { address, port } = server.address() as AddressInfo;
  logger.info({ url: `http://${address}:${port}`, apiOrigin: env.apiOrigin }, 'listening');
}

try {
  await main();
} catch (cause) {
  pino({ name: 'web' }).fatal({ err: cause }, 'could not start');
  process.exit(1);
}
