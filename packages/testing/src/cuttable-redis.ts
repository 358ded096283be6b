import { once } from 'node:events';
import { createServer, connect, type Server, type Socket } from 'node:net';
import { testInfrastructure } from './infrastructure.ts';

/** Redis behind a wire of the test's own. */
export interface CuttableRedis extends AsyncDisposable {
  url: string;
  /** Ends all connections and refuses new ones. */
  cut(): void;
  mend(): Promise<void>;
  /** Keeps all answers back, as a Redis that is stuck does; connections stay. */
  hold(): void;
}

export async function openCuttableRedis(): Promise<CuttableRedis> {
  const { hostname, port } = new URL(testInfrastructure().redisUrl);
  const sockets = new Set<Socket>();
  const ways = new Map<Socket, Socket>();
  const pass = (client: Socket): void => {
    const upstream = connect(Number(port), hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
    }
    client.pipe(upstream).pipe(client);
    ways.set(upstream, client);
  };
  const listen = async (on: number): Promise<Server> => {
    const server = createServer(pass).listen(on, '127.0.0.1');
    await once(server, 'listening');
    return server;
  };
  let server = await listen(0);
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error(`Wanted a port, got ${address}`);
  const cut = (): void => {
    server.close();
    for (const socket of sockets) socket.destroy();
    sockets.clear();
    ways.clear();
  };
  return {
    url: `redis://127.0.0.1:${address.port}`,
    cut,
    mend: async () => {
      server = await listen(address.port);
    },
    hold: () => {
      for (const [upstream, client] of ways) upstream.unpipe(client);
    },
    [Symbol.asyncDispose]: async () => cut(),
  };
}
