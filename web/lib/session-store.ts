/** Who is signed in, as kept over reloads. The access token is the only secret in it. */
export interface StoredSession {
  accessToken: string;
  /** RFC 3339. */
  expiresAt: string;
}

/** Why there is no session any more: told on the sign-in page. */
export type SessionEnd = 'signed-out' | 'expired';

export interface SessionStore {
  /** The live session, or null. The same object until it changes, so that React can compare it. */
  current: () => StoredSession | null;
  /** Why the last session of this page ended; null before that. */
  lastEnd: () => SessionEnd | null;
  open: (session: StoredSession) => void;
  end: (reason: SessionEnd) => void;
  /** Calls `listener` after every change, other tabs' included; gives the function that stops it. */
  subscribe: (listener: () => void) => () => void;
}

export interface SessionEnvironment {
  storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;
  now: () => number;
  /** Calls back when another tab changed the storage. */
  onOtherTab: (listener: () => void) => () => void;
}

const STORAGE_KEY = 'kindred.session';
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
  const { accessToken, expiresAt } = value as Partial<Record<keyof StoredSession, unknown>>;
  if (typeof accessToken !== 'string' || accessToken === '' || typeof expiresAt !== 'string') return null;
  return Date.parse(expiresAt) > now ? { accessToken, expiresAt } : null;
}

export function createSessionStore({ storage, now, onOtherTab }: SessionEnvironment): SessionStore {
  const listeners = new Set<() => void>();
  let session = readStoredSession(storage.getItem(STORAGE_KEY), now());
  let ended: SessionEnd | null = session === null && storage.getItem(STORAGE_KEY) !== null ? 'expired' : null;
  let expiry: ReturnType<typeof setTimeout> | undefined;

  const change = (next: StoredSession | null, reason: SessionEnd | null): void => {
    session = next;
    ended = reason;
    clearTimeout(expiry);
    watchExpiry();
    for (const listener of listeners) listener();
  };
  const end = (reason: SessionEnd): void => {
    if (session === null) return;
    storage.removeItem(STORAGE_KEY);
    change(null, reason);
  };
  const watchExpiry = (): void => {
    if (session === null) return;
    const leftMs = Date.parse(session.expiresAt) - now();
    if (leftMs <= 0) return end('expired');
    expiry = setTimeout(watchExpiry, Math.min(leftMs, LONGEST_TIMER_MS));
  };
  if (session === null) storage.removeItem(STORAGE_KEY);
  watchExpiry();
  onOtherTab(() => {
    const next = readStoredSession(storage.getItem(STORAGE_KEY), now());
    if (next?.accessToken !== session?.accessToken) change(next, next === null ? 'signed-out' : null);
  });

  return {
    current: () => session,
    lastEnd: () => ended,
    open(next) {
      storage.setItem(STORAGE_KEY, JSON.stringify(next));
      change(next, null);
    },
    end,
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

/** The page's store, kept in local storage. */
export function browserSessionStore(): SessionStore {
  return createSessionStore({
    storage: window.localStorage,
    now: Date.now,
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
