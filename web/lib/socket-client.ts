import { type Client as SocketClient, createClient } from 'graphql-ws';
import type { SessionStore } from './session-store.ts';
import type { SocketStatusStore } from './socket-status.ts';

const PING_EVERY_MS = 10_000;
const PONG_WITHIN_MS = 5_000;
const REFUSED_CODES = new Set([4401, 4403]);

export interface SocketClientOptions {
  apiOrigin: string;
  session: SessionStore;
  status: SocketStatusStore;
}

/**
 * The page's graphql-ws client: one lazy socket, which notices a dead line by unanswered pings.
 * It never resumes a subscription by itself: whoever follows a stream knows the last sequence it saw.
 */
export function createSocketClient({ apiOrigin, session, status }: SocketClientOptions): SocketClient {
  let socket: WebSocket | null = null;
  let sentToken: string | undefined;
  let pongLimit: ReturnType<typeof setTimeout> | undefined;
  return createClient({
    url: `${apiOrigin.replace(/^http/, 'ws')}/graphql`,
    connectionParams: async () => {
      const token = await session.liveToken();
      sentToken = token;
      return token === undefined ? {} : { authorization: `Bearer ${token}` };
    },
    retryAttempts: 0,
    keepAlive: PING_EVERY_MS,
    connectionAckWaitTimeout: 10_000,
    on: {
      connecting: () => status.set('connecting'),
      connected: (opened) => {
        socket = opened as WebSocket;
        status.set('open');
      },
      ping: (received) => {
        if (received) return;
        pongLimit = setTimeout(() => {
          if (socket?.readyState === WebSocket.OPEN) socket.close(4408, 'Ping unanswered');
        }, PONG_WITHIN_MS);
      },
      pong: (received) => {
        if (received) clearTimeout(pongLimit);
      },
      closed: (event) => {
        clearTimeout(pongLimit);
        status.set('closed');
        if (!REFUSED_CODES.has((event as CloseEvent).code) || sentToken === undefined) return;
        // Whoever follows a stream tries again; where the API cannot be reached, that try says so.
        session.replace(sentToken).catch(() => undefined);
      },
    },
  });
}
