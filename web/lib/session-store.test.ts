import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  createSessionStore,
  pathAfterSignIn,
  readStoredSession,
  type RefreshSession,
  type SessionStore,
  type StoredSession,
} from './session-store.ts';

const NOW = Date.parse('2026-11-23T17:00:00.000Z');
const MINUTE_MS = 60_000;

/** The tokens number `number` of a session, as issued at `at`. */
function tokens(number = 1, at = NOW): StoredSession {
  return {
    accessToken: `access ${number}`,
    expiresAt: new Date(at + 15 * MINUTE_MS).toISOString(),
    refreshToken: `refresh ${number}`,
    refreshExpiresAt: new Date(at + 7 * 24 * 60 * MINUTE_MS).toISOString(),
  };
}

const SESSION = tokens();

/** An API that takes each refresh token once, as the real one does. */
function fakeApi(): RefreshSession & { calls: string[] } {
  const calls: string[] = [];
  const refresh: RefreshSession = async (refreshToken) => {
    const isFirst = !calls.includes(refreshToken);
    calls.push(refreshToken);
    await Promise.resolve();
    return isFirst ? tokens(calls.length + 1, Date.now()) : null;
  };
  return Object.assign(refresh, { calls });
}

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
  {
    refreshSession = fakeApi(),
    exclusively = createLock(),
  }: { refreshSession?: RefreshSession; exclusively?: (work: () => Promise<void>) => Promise<void> } = {},
): SessionStore {
  return createSessionStore({ storage, now: Date.now, refreshSession, exclusively, onOtherTab: storage.onOtherTab });
}

beforeEach(() => void vi.useFakeTimers({ now: NOW }));
afterEach(() => void vi.useRealTimers());

describe('the session store', () => {
  it('keeps the session over a reload', () => {
    const storage = memoryStorage();
    openStore(storage).open(SESSION);
    expect(openStore(storage).current()).toEqual(SESSION);
  });

  it('ends the session at the moment the refresh token expires, and says so', () => {
    const store = openStore(memoryStorage());
    const seen: (string | null)[] = [];
    store.open(SESSION);
    store.subscribe(() => seen.push(store.lastEnd()));
    vi.advanceTimersByTime(7 * 24 * 60 * MINUTE_MS - 1);
    expect(store.current()).not.toBeNull();
    vi.advanceTimersByTime(1);
    expect(store.current()).toBeNull();
    expect(seen).toEqual(['expired']);
  });

  it('gives its token while it is good, and refreshes it before it ends, once for all who ask', async () => {
    const api = fakeApi();
    const store = openStore(memoryStorage(), { refreshSession: api });
    store.open(SESSION);
    const generation = store.generation();
    expect(await store.liveToken()).toBe('access 1');
    vi.setSystemTime(NOW + 15 * MINUTE_MS - 10_000);
    const asked = await Promise.all([store.liveToken(), store.liveToken(), store.liveToken()]);
    expect(asked).toEqual(['access 2', 'access 2', 'access 2']);
    expect(api.calls).toEqual(['refresh 1']);
    expect(store.generation()).toBe(generation);
  });

  it('refreshes a token that was refused early, once', async () => {
    const api = fakeApi();
    const store = openStore(memoryStorage(), { refreshSession: api });
    store.open(SESSION);
    await Promise.all([store.replace('access 1'), store.replace('access 1')]);
    await store.replace('access 1');
    expect(await store.liveToken()).toBe('access 2');
    expect(api.calls).toEqual(['refresh 1']);
  });

  it('takes what another tab refreshed, instead of using its token again', async () => {
    const [storage, refreshSession, exclusively] = [memoryStorage(), fakeApi(), createLock()];
    openStore(storage).open(SESSION);
    const tabs = [
      openStore(storage, { refreshSession, exclusively }),
      openStore(storage, { refreshSession, exclusively }),
    ];
    vi.setSystemTime(NOW + 15 * MINUTE_MS);
    expect(await Promise.all(tabs.map((tab) => tab.liveToken()))).toEqual(['access 2', 'access 2']);
    expect(refreshSession.calls).toEqual(['refresh 1']);
  });

  it('ends the session when the API refuses to refresh it, and keeps it when nobody answers', async () => {
    let answer = (): Promise<StoredSession | null> => Promise.reject(new Error('no network'));
    const store = openStore(memoryStorage(), { refreshSession: () => answer() });
    store.open(SESSION);
    vi.setSystemTime(NOW + 15 * MINUTE_MS);
    await expect(store.liveToken()).rejects.toThrow('no network');
    expect(store.current()).toEqual(SESSION);
    answer = () => Promise.resolve(null);
    expect(await store.liveToken()).toBeUndefined();
    expect(store.lastEnd()).toBe('expired');
  });

  it('says that the session expired when the page is opened after it did', () => {
    const storage = memoryStorage();
    openStore(storage).open(SESSION);
    vi.setSystemTime(NOW + 7 * 24 * 60 * MINUTE_MS + 1);
    const store = openStore(storage);
    expect(store.current()).toBeNull();
    expect(store.lastEnd()).toBe('expired');
  });

  it('forgets the token on sign-out', () => {
    const storage = memoryStorage();
    const store = openStore(storage);
    store.open(SESSION);
    store.end('signed-out');
    expect(store.lastEnd()).toBe('signed-out');
    expect(openStore(storage).current()).toBeNull();
  });

  it('follows a sign-out in another tab', () => {
    const storage = memoryStorage();
    const store = openStore(storage);
    store.open(SESSION);
    storage.removeItem('kindred.session');
    storage.otherTab();
    expect(store.current()).toBeNull();
  });

  it('gives the same object until the session changes', () => {
    const store = openStore(memoryStorage());
    store.open(SESSION);
    expect(store.current()).toBe(store.current());
  });
});

describe('readStoredSession', () => {
  it('takes nothing malformed', () => {
    for (const raw of [
      null,
      '',
      '{',
      'null',
      '[]',
      '{"accessToken":1}',
      '{"accessToken":"a","expiresAt":"soon"}',
      JSON.stringify({ ...SESSION, refreshToken: '' }),
    ]) {
      expect(readStoredSession(raw, NOW)).toBeNull();
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
