import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  createSessionStore,
  type IssuedSession,
  pathAfterSignIn,
  readSessionMark,
  type RefreshSession,
  type SessionStore,
} from './session-store.ts';

const NOW = Date.parse('2026-11-23T17:00:00.000Z');
const MINUTE_MS = 60_000;

/** The tokens number `number` of a session, as issued at `at`. */
function tokens(number = 1, at = NOW): IssuedSession {
  return {
    accessToken: `access ${number}`,
    expiresAt: new Date(at + 15 * MINUTE_MS).toISOString(),
    refreshToken: `refresh ${number}`,
    refreshExpiresAt: new Date(at + 7 * 24 * 60 * MINUTE_MS).toISOString(),
  };
}

const SESSION = tokens();
const { refreshToken: _, ...LIVE } = SESSION;

/** The browser's cookie, and the server behind it, which takes each refresh token once. */
function fakeCookie() {
  let cookie: string | null = null;
  const used: string[] = [];
  const refreshSession: RefreshSession = async () => {
    const sent = cookie;
    const isFirst = sent !== null && !used.includes(sent);
    used.push(String(sent));
    await Promise.resolve();
    if (!isFirst) return null;
    const { refreshToken, ...live } = tokens(used.length + 1, Date.now());
    cookie = refreshToken;
    return live;
  };
  const keepSession = async ({ refreshToken }: IssuedSession) => void (cookie = refreshToken);
  return { used, refreshSession, keepSession };
}

type Cookie = Pick<ReturnType<typeof fakeCookie>, 'refreshSession' | 'keepSession'>;

function memoryStorage(): Storage & { otherTab: () => void; onOtherTab: (listener: () => void) => () => void } {
  const values = new Map<string, string>();
  let listener = (): void => {};
  return {
    length: 0,
    key: () => null,
    clear: () => values.clear(),
    getItem: (key) => values.get(key) ?? null,
    setItem: (key, value) => void values.set(key, value),
    removeItem: (key) => void values.delete(key),
    otherTab: () => listener(),
    onOtherTab: (next) => {
      listener = next;
      return () => {};
    },
  };
}

/** Runs one tab's work after the other's. */
function createLock(): (work: () => Promise<void>) => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  return (work) => (last = last.catch(() => undefined).then(work));
}

function openStore(
  storage: ReturnType<typeof memoryStorage>,
  cookie: Cookie = fakeCookie(),
  exclusively = createLock(),
): SessionStore {
  return createSessionStore({ ...cookie, storage, now: Date.now, exclusively, onOtherTab: storage.onOtherTab });
}

beforeEach(() => void vi.useFakeTimers({ now: NOW }));
afterEach(() => void vi.useRealTimers());

describe('the session store', () => {
  it('keeps no token where a script of another page could read it', async () => {
    const storage = memoryStorage();
    const store = openStore(storage);
    await store.open(SESSION);
    await store.replace('access 1');
    expect(await store.liveToken()).toBe('access 2');
    const kept = storage.getItem('kindred.session') ?? '';
    expect(Object.keys(JSON.parse(kept) as object).toSorted()).toEqual(['id', 'refreshExpiresAt']);
    expect(kept).not.toMatch(/access|refresh \d/);
  });

  it('keeps the session over a reload: the page asks for an access token by the cookie', async () => {
    const [storage, cookie] = [memoryStorage(), fakeCookie()];
    await openStore(storage, cookie).open(SESSION);
    const reloaded = openStore(storage, cookie);
    expect(reloaded.current()).toMatchObject({ accessToken: null, refreshExpiresAt: SESSION.refreshExpiresAt });
    expect(await Promise.all([reloaded.liveToken(), reloaded.liveToken()])).toEqual(['access 2', 'access 2']);
    expect(cookie.used).toEqual(['refresh 1']);
  });

  it('has no session where the cookie could not be kept', async () => {
    const refused = { ...fakeCookie(), keepSession: () => Promise.reject(new Error('no answer')) };
    const store = openStore(memoryStorage(), refused);
    await expect(store.open(SESSION)).rejects.toThrow('no answer');
    expect(store.current()).toBeNull();
  });

  it('ends the session at the moment the refresh token expires, and says so', async () => {
    const store = openStore(memoryStorage());
    const seen: (string | null)[] = [];
    await store.open(SESSION);
    store.subscribe(() => seen.push(store.lastEnd()));
    vi.advanceTimersByTime(7 * 24 * 60 * MINUTE_MS - 1);
    expect(store.current()).not.toBeNull();
    vi.advanceTimersByTime(1);
    expect(store.current()).toBeNull();
    expect(seen).toEqual(['expired']);
  });

  it('gives its token while it is good, and refreshes it before it ends, once for all who ask', async () => {
    const cookie = fakeCookie();
    const store = openStore(memoryStorage(), cookie);
    await store.open(SESSION);
    const generation = store.generation();
    expect(await store.liveToken()).toBe('access 1');
    vi.setSystemTime(NOW + 15 * MINUTE_MS - 10_000);
    const asked = await Promise.all([store.liveToken(), store.liveToken(), store.liveToken()]);
    expect(asked).toEqual(['access 2', 'access 2', 'access 2']);
    expect(cookie.used).toEqual(['refresh 1']);
    expect(store.generation()).toBe(generation);
  });

  it('refreshes a token that was refused early, once', async () => {
    const cookie = fakeCookie();
    const store = openStore(memoryStorage(), cookie);
    await store.open(SESSION);
    await Promise.all([store.replace('access 1'), store.replace('access 1')]);
    await store.replace('access 1');
    expect(await store.liveToken()).toBe('access 2');
    expect(cookie.used).toEqual(['refresh 1']);
  });

  it('lets tabs that refresh at once do so one after the other, so that no refresh token is used twice', async () => {
    const [storage, cookie, lock] = [memoryStorage(), fakeCookie(), createLock()];
    await openStore(storage, cookie, lock).open(SESSION);
    const tabs = [openStore(storage, cookie, lock), openStore(storage, cookie, lock)];
    expect(await Promise.all(tabs.map((tab) => tab.liveToken()))).toEqual(['access 2', 'access 3']);
    expect(cookie.used).toEqual(['refresh 1', 'refresh 2']);
  });

  it('ends the session when the API refuses to refresh it, and keeps it when nobody answers', async () => {
    let answer: RefreshSession = () => Promise.reject(new Error('no network'));
    const store = openStore(memoryStorage(), { ...fakeCookie(), refreshSession: () => answer() });
    await store.open(SESSION);
    vi.setSystemTime(NOW + 15 * MINUTE_MS);
    await expect(store.liveToken()).rejects.toThrow('no network');
    expect(store.current()).toEqual(LIVE);
    answer = () => Promise.resolve(null);
    expect(await store.liveToken()).toBeUndefined();
    expect(store.lastEnd()).toBe('expired');
  });

  it('says that the session expired when the page is opened after it did', async () => {
    const storage = memoryStorage();
    await openStore(storage).open(SESSION);
    vi.setSystemTime(NOW + 7 * 24 * 60 * MINUTE_MS + 1);
    const store = openStore(storage);
    expect(store.current()).toBeNull();
    expect(store.lastEnd()).toBe('expired');
  });

  it('forgets the session on sign-out', async () => {
    const storage = memoryStorage();
    const store = openStore(storage);
    await store.open(SESSION);
    store.end('signed-out');
    expect(store.lastEnd()).toBe('signed-out');
    expect(await store.liveToken()).toBeUndefined();
    expect(openStore(storage).current()).toBeNull();
  });

  it('follows a sign-out, another sign-in and a refresh in another tab', async () => {
    const [storage, cookie] = [memoryStorage(), fakeCookie()];
    const store = openStore(storage, cookie);
    await store.open(SESSION);
    const generation = store.generation();
    const mark = JSON.parse(storage.getItem('kindred.session') ?? '') as { id: string };
    const later = tokens(1, NOW + MINUTE_MS).refreshExpiresAt;
    storage.setItem('kindred.session', JSON.stringify({ ...mark, refreshExpiresAt: later }));
    storage.otherTab();
    expect(store.current()).toEqual({ ...LIVE, refreshExpiresAt: later });
    expect(store.generation()).toBe(generation);
    storage.setItem('kindred.session', JSON.stringify({ id: 'another', refreshExpiresAt: later }));
    storage.otherTab();
    expect(store.current()).toMatchObject({ accessToken: null });
    expect(store.generation()).toBe(generation + 1);
    storage.removeItem('kindred.session');
    storage.otherTab();
    expect(store.current()).toBeNull();
    expect(store.lastEnd()).toBe('signed-out');
  });

  it('gives the same object until the session changes', async () => {
    const store = openStore(memoryStorage());
    await store.open(SESSION);
    expect(store.current()).toBe(store.current());
  });
});

describe('readSessionMark', () => {
  it('takes nothing malformed, and nothing of a page that still kept tokens', () => {
    for (const raw of [
      null,
      '',
      '{',
      'null',
      '[]',
      '{"id":"a"}',
      '{"id":"a","refreshExpiresAt":"soon"}',
      JSON.stringify(SESSION),
    ]) {
      expect(readSessionMark(raw, NOW)).toBeNull();
    }
  });
});

describe('pathAfterSignIn', () => {
  it('goes on to a page of this site', () => {
    expect(pathAfterSignIn('/runs/run_1?tab=log')).toBe('/runs/run_1?tab=log');
  });

  it('never leaves this site', () => {
    for (const next of [
      null,
      '',
      'https://evil.example',
      '//evil.example',
      '/\\evil.example',
      '/\t/evil.example',
      'javascript:alert(1)',
    ]) {
      expect(pathAfterSignIn(next)).toBe('/');
    }
  });

  it('does not come back to the sign-in page', () => {
    expect(pathAfterSignIn('/sign-in?next=%2F')).toBe('/');
  });
});
