/** Who is signed in, as kept over reloads. Both tokens are secrets. */
export interface StoredSession {
  accessToken: string;
  /** RFC 3339: when the access token ends and a new one is fetched. */
  expiresAt: string;
  /** Good once. */
  refreshToken: string;
  /** RFC 3339: when the session ends unless it was refreshed. */
  refreshExpiresAt: string;
}

/** What became of a refresh token: its successor, or null when the session is over. Rejects when nobody answers. */
export type RefreshSession = (refreshToken: string) => Promise<StoredSession | null>;

/** Why there is no session any more: told on the sign-in page. */
export type SessionEnd = 'signed-out' | 'expired';

export interface SessionStore {
  /** The live session, or null. The same object until it changes, so that React can compare it. */
  current: () => StoredSession | null;
  /** Counts the sessions of this page: another number is another session, a refreshed one keeps its own. */
  generation: () => number;
  /** Why the last session of this page ended; null before that. */
  lastEnd: () => SessionEnd | null;
  open: (session: StoredSession) => void;
  end: (reason: SessionEnd) => void;
  /** An access token that is good now, refreshed first when need be; undefined without a session. Rejects when it cannot be had. */
  liveToken: () => Promise<string | undefined>;
  /** Replaces an access token that was refused, unless that has happened already. Rejects when nobody answers. */
  replace: (refusedToken: string) => Promise<void>;
  /** Calls `listener` after every change, other tabs' included; gives the function that stops it. */
  subscribe: (listener: () => void) => () => void;
}

export interface SessionEnvironment {
  storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;
  now: () => number;
  refreshSession: RefreshSession;
  /** Runs `work` while no other tab runs its own. */
  exclusively: (work: () => Promise<void>) => Promise<void>;
  /** Calls back when another tab changed the storage. */
  onOtherTab: (listener: () => void) => () => void;
}

const STORAGE_KEY = 'kindred.session';
// A request that starts now arrives while its token is still good.
const EARLY_MS = 20_000;
const KEYS = ['accessToken', 'expiresAt', 'refreshToken', 'refreshExpiresAt'] as const;
// setTimeout counts milliseconds in 32 bits.
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The session in `raw`; null when it is malformed or over. */
export function readStoredSession(raw: string | null, now: number): StoredSession | null {
  if (raw === null) return null;
  let value: unknown;
  try {
    value = JSON.parse(raw);
  } catch (cause) {
    if (cause instanceof SyntaxError) return null;
    throw cause;
  }
  if (typeof value !== 'object' || value === null) return null;
  const fields = value as Partial<Record<keyof StoredSession, unknown>>;
  if (KEYS.some((key) => typeof fields[key] !== 'string' || fields[key] === '')) return null;
  const session = fields as StoredSession;
  return Date.parse(session.refreshExpiresAt) > now ? session : null;
}

/** The session as this page and its storage have it, and who is told of its changes. */
interface SessionState extends Pick<SessionStore, 'current' | 'generation' | 'lastEnd' | 'open' | 'end' | 'subscribe'> {
  /** What the storage holds now, which another tab may have written. */
  stored: () => StoredSession | null;
  /** Replaces the session's tokens: kept in storage, unless they come from there. */
  renew: (next: StoredSession, from: 'api' | 'storage') => void;
}

function createSessionState({ storage, now, onOtherTab }: SessionEnvironment): SessionState {
  const listeners = new Set<() => void>();
  const stored = (): StoredSession | null => readStoredSession(storage.getItem(STORAGE_KEY), now());
  let session = stored();
  let ended: SessionEnd | null = session === null && storage.getItem(STORAGE_KEY) !== null ? 'expired' : null;
  let generation = 0;
  let expiry: ReturnType<typeof setTimeout> | undefined;

  const change = (next: StoredSession | null, reason: SessionEnd | null): void => {
    session = next;
    ended = reason;
    clearTimeout(expiry);
    watchExpiry();
    for (const listener of listeners) listener();
  };
  const renew: SessionState['renew'] = (next, from) => {
    if (from === 'api') storage.setItem(STORAGE_KEY, JSON.stringify(next));
    change(next, null);
  };
  const end = (reason: SessionEnd): void => {
    if (session === null) return;
    storage.removeItem(STORAGE_KEY);
    generation += 1;
    change(null, reason);
  };
  const watchExpiry = (): void => {
    if (session === null) return;
    const leftMs = Date.parse(session.refreshExpiresAt) - now();
    if (leftMs <= 0) return end('expired');
    expiry = setTimeout(watchExpiry, Math.min(leftMs, LONGEST_TIMER_MS));
  };
  if (session === null) storage.removeItem(STORAGE_KEY);
  watchExpiry();
  onOtherTab(() => {
    const next = stored();
    if (next?.accessToken === session?.accessToken) return;
    if (next === null || session === null) generation += 1;
    change(next, next === null ? 'signed-out' : null);
  });
  return {
    current: () => session,
    generation: () => generation,
    lastEnd: () => ended,
    open: (next) => {
      generation += 1;
      renew(next, 'api');
    },
    end,
    subscribe: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    stored,
    renew,
  };
}

export function createSessionStore(environment: SessionEnvironment): SessionStore {
  const { now, refreshSession, exclusively } = environment;
  const { stored, renew, ...state } = createSessionState(environment);
  let refreshing: Promise<void> | null = null;

  const refreshOnce = async (): Promise<void> => {
    const before = state.current();
    await exclusively(async () => {
      // Another tab may have refreshed or signed out while this one waited.
      const known = stored();
      if (state.current() !== before || before === null) return;
      if (known !== null && known.refreshToken !== before.refreshToken) return renew(known, 'storage');
      const next = await refreshSession(before.refreshToken);
      if (state.current() !== before) return;
      if (next === null) state.end('expired');
      else renew(next, 'api');
    });
  };
  const refresh = (): Promise<void> =>
    (refreshing ??= refreshOnce().finally(() => {
      refreshing = null;
    }));

  return {
    ...state,
    async liveToken() {
      const session = state.current();
      if (session !== null && Date.parse(session.expiresAt) - now() < EARLY_MS) await refresh();
      return state.current()?.accessToken;
    },
    async replace(refusedToken) {
      if (state.current()?.accessToken === refusedToken) await refresh();
    },
  };
}

/** The page's store, kept in local storage; its tabs refresh one after the other. */
export function browserSessionStore(refreshSession: RefreshSession): SessionStore {
  return createSessionStore({
    storage: window.localStorage,
    now: Date.now,
    refreshSession,
    // Browsers have locks on secure pages only, localhost included; elsewhere the API's grace keeps tabs apart.
    exclusively: async (work) => {
      const { locks } = navigator as { locks?: LockManager };
      if (locks === undefined) await work();
      else await locks.request(STORAGE_KEY, work);
    },
    onOtherTab(listener) {
      const onStorage = (event: StorageEvent): void => {
        if (event.key === STORAGE_KEY || event.key === null) listener();
      };
      window.addEventListener('storage', onStorage);
      return () => window.removeEventListener('storage', onStorage);
    },
  });
}

/**
 * The path to go to after signing in: `next` when it is a path of this site, else the overview.
 * A link to another origin, `//evil.example` or `/\evil.example` included, is not followed.
 */
export function pathAfterSignIn(next: string | null): string {
  if (next === null || !next.startsWith('/')) return '/';
  // Browsers read backslashes as slashes and drop tabs and line ends: let the URL parser say where it leads.
  const here = 'https://here.invalid';
  const target = URL.parse(next, here);
  if (target === null || target.origin !== here || target.pathname.startsWith('/sign-in')) return '/';
  return `${target.pathname}${target.search}${target.hash}`;
}
