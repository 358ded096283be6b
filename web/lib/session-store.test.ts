import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createSessionStore, pathAfterSignIn, readStoredSession, type SessionStore } from './session-store.ts';

const NOW = Date.parse('2026-11-23T17:00:00.000Z');
const SESSION = { accessToken: 'token', expiresAt: new Date(NOW + 60_000).toISOString() };

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

function openStore(storage: ReturnType<typeof memoryStorage>): SessionStore {
  return createSessionStore({ storage, now: Date.now, onOtherTab: storage.onOtherTab });
}

beforeEach(() => void vi.useFakeTimers({ now: NOW }));
afterEach(() => void vi.useRealTimers());

describe('the session store', () => {
  it('keeps the session over a reload', () => {
    const storage = memoryStorage();
    openStore(storage).open(SESSION);
    expect(openStore(storage).current()).toEqual(SESSION);
  });

  it('ends the session at the moment the token expires, and says so', () => {
    const store = openStore(memoryStorage());
    const seen: (string | null)[] = [];
    store.open(SESSION);
    store.subscribe(() => seen.push(store.lastEnd()));
    vi.advanceTimersByTime(59_999);
    expect(store.current()).not.toBeNull();
    vi.advanceTimersByTime(1);
    expect(store.current()).toBeNull();
    expect(seen).toEqual(['expired']);
  });

  it('says that the session expired when the page is opened after it did', () => {
    const storage = memoryStorage();
    openStore(storage).open(SESSION);
    vi.setSystemTime(NOW + 61_000);
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
    for (const raw of [null, '', '{', 'null', '[]', '{"accessToken":1}', '{"accessToken":"a","expiresAt":"soon"}']) {
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
