import { newIdempotencyKey } from './idempotency-key.ts';

/** Who is signed in, as this page knows it. The refresh token is in a cookie, where no script reads it. */
export interface LiveSession {
  /** Of this page alone; null until it has asked for one. */
  accessToken: string | null;
  /** RFC 3339: when the access token ends and a new one is fetched. */
  expiresAt: string | null;
  /** RFC 3339: when the session ends unless it was refreshed. */
  refreshExpiresAt: string;
}

/** A session as the API gives it to whoever signs in. */
export interface IssuedSession {
  accessToken: string;
  expiresAt: string;
  refreshToken: string;
  refreshExpiresAt: string;
}

export type RefreshedSession = Omit<IssuedSession, 'refreshToken'>;

/** Fetches the next access token by the cookie; null when the session is over. Rejects when nobody answers. */
export type RefreshSession = () => Promise<RefreshedSession | null>;

/** Why there is no session any more: told on the sign-in page. */
export type SessionEnd = 'signed-out' | 'expired';

export interface SessionStore {
  /** The live session, or null. The same object until it changes, so that React can compare it. */
  current: () => LiveSession | null;
  /** Counts the sessions of this page: another number is another session, a refreshed one keeps its own. */
  generation: () => number;
  /** Why the last session of this page ended; null before that. */
  lastEnd: () => SessionEnd | null;
  /** Rejects when its refresh token could not be put into the cookie; there is no session then. */
  open: (session: IssuedSession) => Promise<void>;
  end: (reason: SessionEnd) => void;
  /** An access token that is good now, refreshed first when need be; undefined without a session. Rejects when it cannot be had. */
  liveToken: () => Promise<string | undefined>;
  /** Replaces an access token that was refused, unless that has happened already. Rejects when nobody answers. */
  replace: (refusedToken: string) => Promise<void>;
  /** Calls `listener` after every change, other tabs' included; gives the function that stops it. */
  subscribe: (listener: () => void) => () => void;
}

export interface SessionEnvironment {
  /** Where all tabs see that somebody is signed in; it holds no secret. */
  storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;
  now: () => number;
  /** Puts a refresh token into the cookie. */
  keepSession: (session: IssuedSession) => Promise<void>;
  refreshSession: RefreshSession;
  /** Runs `work` while no other tab runs its own. */
  exclusively: (work: () => Promise<void>) => Promise<void>;
  /** Calls back when another tab changed the storage. */
  onOtherTab: (listener: () => void) => () => void;
}

const STORAGE_KEY = 'kindred.session';
// A request that starts now arrives while its token is still good.
const EARLY_MS = 20_000;
// setTimeout counts milliseconds in 32 bits.
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** What the storage says: which session there is, and until when. */
export interface SessionMark {
  id: string;
  refreshExpiresAt: string;
}

/** The mark in `raw`; null when it is malformed or over. */
export function readSessionMark(raw: string | null, now: number): SessionMark | null {
  if (raw === null) return null;
  let value: unknown;
  try {
    value = JSON.parse(raw);
  } catch (cause) {
    if (cause instanceof SyntaxError) return null;
    throw cause;
  }
  const { id, refreshExpiresAt } = (value ?? {}) as Partial<Record<keyof SessionMark, unknown>>;
  if (typeof id !== 'string' || id === '' || typeof refreshExpiresAt !== 'string') return null;
  return Date.parse(refreshExpiresAt) > now ? { id, refreshExpiresAt } : null;
}

/** The session as this page has it, and who is told of its changes. */
interface SessionState extends Pick<SessionStore, 'current' | 'generation' | 'lastEnd' | 'end' | 'subscribe'> {
  /** Another session of this page and all tabs. */
  begin: (session: RefreshedSession) => void;
  /** The session goes on with another access token. */
  renew: (session: RefreshedSession) => void;
}

/** A session of which this page has asked for no access token yet. */
function unasked({ refreshExpiresAt }: SessionMark): LiveSession {
  return { accessToken: null, expiresAt: null, refreshExpiresAt };
}

function createSessionState({ storage, now, onOtherTab }: SessionEnvironment): SessionState {
  const listeners = new Set<() => void>();
  const stored = (): SessionMark | null => readSessionMark(storage.getItem(STORAGE_KEY), now());
  let mark = stored();
  let session = mark === null ? null : unasked(mark);
  let ended: SessionEnd | null = mark === null && storage.getItem(STORAGE_KEY) !== null ? 'expired' : null;
  let generation = 0;
  let expiry: ReturnType<typeof setTimeout> | undefined;

  const change = (next: LiveSession | null, reason: SessionEnd | null): void => {
    session = next;
    ended = reason;
    clearTimeout(expiry);
    watchExpiry();
    for (const listener of listeners) listener();
  };
  const write = (id: string, next: RefreshedSession): void => {
    const { accessToken, expiresAt, refreshExpiresAt } = next;
    if (id !== mark?.id) generation += 1;
    mark = { id, refreshExpiresAt };
    storage.setItem(STORAGE_KEY, JSON.stringify(mark));
    change({ accessToken, expiresAt, refreshExpiresAt }, null);
  };
  const end = (reason: SessionEnd): void => {
    if (session === null) return;
    storage.removeItem(STORAGE_KEY);
    mark = null;
    generation += 1;
    change(null, reason);
  };
  const watchExpiry = (): void => {
    if (session === null) return;
    const leftMs = Date.parse(session.refreshExpiresAt) - now();
    if (leftMs <= 0) return end('expired');
    expiry = setTimeout(watchExpiry, Math.min(leftMs, LONGEST_TIMER_MS));
  };
  if (mark === null) storage.removeItem(STORAGE_KEY);
  watchExpiry();
  onOtherTab(() => {
    const [known, next] = [mark, stored()];
    mark = next;
    if (next !== null && next.id === known?.id) {
      // Refreshed elsewhere: this page's access token is as good as it was.
      if (session) change({ ...session, refreshExpiresAt: next.refreshExpiresAt }, null);
    } else if (next !== null || known !== null) {
      generation += 1;
      change(next && unasked(next), next ? null : 'signed-out');
    }
  });
  return {
    current: () => session,
    generation: () => generation,
    lastEnd: () => ended,
    begin: (next) => write(newIdempotencyKey(), next),
    renew: (next) => write(mark?.id ?? newIdempotencyKey(), next),
    end,
    subscribe: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

export function createSessionStore(environment: SessionEnvironment): SessionStore {
  const { now, keepSession, refreshSession, exclusively } = environment;
  const { begin, renew, ...state } = createSessionState(environment);
  let refreshing: Promise<void> | null = null;

  const refreshOnce = async (): Promise<void> => {
    const [generation, before] = [state.generation(), state.current()?.accessToken];
    // One after the other over all tabs: each refresh token is good once.
    await exclusively(async () => {
      const isKnown = state.current() !== null && state.generation() === generation;
      if (!isKnown || state.current()?.accessToken !== before) return;
      const next = await refreshSession();
      if (state.generation() !== generation) return;
      if (next === null) state.end('expired');
      else renew(next);
    });
  };
  const refresh = (): Promise<void> =>
    (refreshing ??= refreshOnce().finally(() => {
      refreshing = null;
    }));

  return {
    ...state,
    async open(session) {
      await exclusively(async () => {
        await keepSession(session);
        begin(session);
      });
    },
    async liveToken() {
      const session = state.current();
      const endsAt = Date.parse(session?.expiresAt ?? '');
      if (session !== null && !(endsAt - now() >= EARLY_MS)) await refresh();
      return state.current()?.accessToken ?? undefined;
    },
    async replace(refusedToken) {
      if (state.current()?.accessToken === refusedToken) await refresh();
    },
  };
}

/** The page's store; its tabs refresh one after the other. */
export function browserSessionStore(cookie: Pick<SessionEnvironment, 'keepSession' | 'refreshSession'>): SessionStore {
  return createSessionStore({
    ...cookie,
    storage: window.localStorage,
    now: Date.now,
    // Browsers have locks on secure pages only, localhost included; elsewhere they keep no such cookie either.
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
