import type { Server } from 'node:http';

/** A server that accepts requests until it is drained. */
export interface RunningServer {
  /** The origin, such as `http://127.0.0.1:4002`. */
  url: string;
  port: number;
  /** Accepts nothing new, lets what is under way end, and releases everything. May be called more than once. */
  drain(): Promise<void>;
}

/** How long a connection is kept that nobody asks anything: longer than the pause between two requests of the gateway or of a load balancer. */
export const KEEP_ALIVE_MS = 65_000;

/** How long a server that drains waits for its callers. */
export const DRAIN_TIMEOUT_MS = 10_000;

/** Listens at `host:port` (port 0: a free one). @throws Error with code EADDRINUSE, EACCES, ... when it cannot. */
export async function listen(server: Server, { host, port }: { host: string; port: number }): Promise<RunningServer> {
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  const closed = new Promise<void>((resolve) => server.once('close', resolve));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error(`Wanted a TCP address, got ${address}`);
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`,
    port: address.port,
    drain: async () => {
      server.close();
      // A connection whose last answer ends now would otherwise be kept alive for seconds.
      const sweep = setInterval(() => server.closeIdleConnections(), 50);
      // A client that holds its connection must not hold the process.
      const timer = setTimeout(() => server.closeAllConnections(), DRAIN_TIMEOUT_MS);
      await closed;
      clearTimeout(timer);
      clearInterval(sweep);
    },
  };
}
