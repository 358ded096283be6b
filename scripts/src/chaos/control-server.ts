import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import type { RunningInfrastructure, ServerName } from '../testing/infrastructure.ts';
import type { RoundReport } from './report.ts';

/** Takes orders from the rounds, which run in another process, and what they found. */
export interface ControlServer {
  url: string;
  reports: RoundReport[];
  close(): void;
}

const SERVERS: readonly string[] = ['postgres', 'redis', 'temporal'] satisfies ServerName[];

/** POST /servers/NAME/{kill,stop,start} and POST /rounds, on this machine alone. */
export async function startControlServer(infrastructure: RunningInfrastructure): Promise<ControlServer> {
  const reports: RoundReport[] = [];
  const obey = async (path: string, body: string): Promise<void> => {
    const [, room, name = '', order] = path.split('/');
    if (room === 'rounds') reports.push(JSON.parse(body) as RoundReport);
    else if (room !== 'servers' || !isServer(name)) throw new Error(`There is nothing at ${path}.`);
    else if (order === 'start') await infrastructure.restart(name);
    else await infrastructure.end(name, order === 'kill' ? 'killed' : 'stopped');
  };
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    try {
      await obey(request.url ?? '', await text(request));
      response.writeHead(204).end();
    } catch (error) {
      response.writeHead(500).end(String(error));
    }
  };
  const server = createServer((request, response) => void answer(request, response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error(`Wanted a port, got ${address}.`);
  return { url: `http://127.0.0.1:${address.port}`, reports, close: () => void server.close() };
}

function isServer(name: string): name is ServerName {
  return SERVERS.includes(name);
}
