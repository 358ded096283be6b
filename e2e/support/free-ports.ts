import { createServer } from 'node:net';

/** The first port of `count` neighbouring ones that were all free on 127.0.0.1 a moment ago. */
export async function freePortBlock(count: number): Promise<number> {
  for (let base = 20_000 + (process.pid % 20_000); base < 60_000; base += count) {
    const free = await Promise.all(Array.from({ length: count }, (_, offset) => isFree(base + offset)));
    if (free.every(Boolean)) return base;
  }
  throw new Error(`No ${count} neighbouring ports are free on 127.0.0.1.`);
}

/** Whether nothing listens on a port of 127.0.0.1. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}
