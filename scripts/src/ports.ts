import { createServer } from 'node:net';
import { StopReason } from './report-error.ts';

/** Every port of a local platform, in the order of its offset from the base. */
const OFFSETS = {
  web: 0,
  gateway: 1,
  tenant: 2,
  catalog: 3,
  model: 4,
  recommendation: 5,
  workerWorkflows: 6,
  workerData: 7,
  workerTrainCpu: 8,
  workerTrainGpu: 9,
  postgres: 10,
  redis: 11,
  temporal: 12,
  temporalUi: 13,
} as const;

export type PortName = keyof typeof OFFSETS;
export type Ports = Readonly<Record<PortName, number>>;

/** The ports of a platform whose web app listens on `base`. */
export function portsFrom(base: number): Ports {
  const entries = Object.entries(OFFSETS).map(([name, offset]) => [name, base + offset]);
  return Object.fromEntries(entries) as Ports;
}

/** A port that was free on 127.0.0.1 a moment ago. */
export async function freePort(): Promise<number> {
  const port = await tryListen(0);
  if (port === null) throw new StopReason('No free port was left on 127.0.0.1.');
  return port;
}

// Below the ports that systems give to connections, which would come to stand among a platform's before it listens.
const RANGES = { from: 15_000, count: 1_000, size: 16 } as const;
const TRIES = 50;

/** Ports for a platform of its own, all free a moment ago. */
export async function freePorts(): Promise<{ base: number; ports: Ports }> {
  for (let time = 0; time < TRIES; time++) {
    const base = RANGES.from + RANGES.size * Math.floor(Math.random() * RANGES.count);
    const ports = portsFrom(base);
    const bound = await Promise.all(Object.values(ports).map(tryListen));
    if (!bound.includes(null)) return { base, ports };
  }
  throw new StopReason(`No ${RANGES.size} ports in a row were free in ${TRIES} places of 127.0.0.1.`);
}

/**
 * Makes sure that every named port can be listened on.
 * @throws StopReason naming the first port that is in use, its part and the option that moves them all.
 */
export async function checkPorts(ports: Ports, names: readonly PortName[]): Promise<void> {
  for (const name of names) {
    const port = ports[name];
    if ((await tryListen(port)) === null) {
      throw new StopReason(
        `Port ${port} (${name}) is in use: stop what listens there, or choose others with --port N.`,
      );
    }
  }
}

function tryListen(port: number): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.unref();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(null);
      else reject(error);
    });
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      const address = server.address();
      const bound = typeof address === 'object' && address !== null ? address.port : port;
      server.close(() => resolve(bound));
    });
  });
}
