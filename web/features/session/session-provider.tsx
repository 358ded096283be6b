'use client';

import { createContext, type ReactNode, useContext, useMemo, useState, useSyncExternalStore } from 'react';
import { Provider } from 'urql';
import {
  browserSessionStore,
  createSessionStore,
  type LiveSession,
  type SessionStore,
} from '../../lib/session-store.ts';
import { createSessionApi, type SessionApi } from './session-api.ts';
import { createSocketStatusStore, type SocketStatus, type SocketStatusStore } from '../../lib/socket-status.ts';
import { createApiClient } from '../../lib/urql.ts';

interface Connection {
  session: SessionStore;
  socket: SocketStatusStore;
  sessionApi: SessionApi;
  apiOrigin: string;
}

const ConnectionContext = createContext<Connection | null>(null);

/** Gives the pages below the session and, with an empty cache for each session, the API client. */
export function SessionProvider({ apiOrigin, children }: { apiOrigin: string; children: ReactNode }) {
  const [sessionApi] = useState(createSessionApi);
  const [session] = useState(() =>
    typeof window === 'undefined' ? serverSessionStore() : browserSessionStore(sessionApi),
  );
  const [socket] = useState(createSocketStatusStore);
  const generation = useSyncExternalStore(session.subscribe, session.generation, () => 0);
  const connection = useMemo(
    () => ({ session, socket, sessionApi, apiOrigin }),
    [session, socket, sessionApi, apiOrigin],
  );
  const client = useMemo(
    () => ({ generation, api: createApiClient({ session, status: socket, apiOrigin }) }),
    [generation, session, socket, apiOrigin],
  );
  return (
    <ConnectionContext value={connection}>
      <Provider value={client.api}>{children}</Provider>
    </ConnectionContext>
  );
}

/** A server renders for nobody: the session is known in the browser only. */
function serverSessionStore(): SessionStore {
  const storage = { getItem: () => null, setItem: () => undefined, removeItem: () => undefined };
  return createSessionStore({
    storage,
    now: Date.now,
    keepSession: async () => undefined,
    refreshSession: async () => null,
    exclusively: (work) => work(),
    onOtherTab: () => () => undefined,
  });
}

function useConnection(): Connection {
  const connection = useContext(ConnectionContext);
  if (connection === null) throw new Error('Session hooks need a SessionProvider above them; there is none.');
  return connection;
}

export function useSessionStore(): SessionStore {
  return useConnection().session;
}

/** Signs out here at once, and at the server as soon as it answers; if it does not, the session ends by itself. */
export function useSignOut(): () => void {
  const { session, sessionApi } = useConnection();
  return () => {
    session.end('signed-out');
    sessionApi.signOut().catch(() => undefined);
  };
}

export function useApiOrigin(): string {
  return useConnection().apiOrigin;
}

/** The live session; null when nobody is signed in; undefined until the browser has looked. */
export function useSession(): LiveSession | null | undefined {
  const { session } = useConnection();
  return useSyncExternalStore<LiveSession | null | undefined>(session.subscribe, session.current, () => undefined);
}

export function useSocketStatus(): SocketStatus {
  const { socket } = useConnection();
  return useSyncExternalStore(socket.subscribe, socket.current, () => 'idle');
}
