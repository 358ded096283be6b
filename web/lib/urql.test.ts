import { afterEach, expect, it, vi } from 'vitest';
import type { SessionStore } from './session-store.ts';
import { authorizedFetch } from './urql.ts';

afterEach(() => void vi.unstubAllGlobals());

/** A session whose refused token is replaced by the next of `tokens`; the gateway takes only `good`. */
function session(tokens: string[], good: string) {
  const sent: (string | null)[] = [];
  vi.stubGlobal('fetch', async (_input: string, init?: RequestInit) => {
    const authorization = new Headers(init?.headers).get('authorization');
    sent.push(authorization);
    return new Response('{}', { status: authorization === `Bearer ${good}` ? 200 : 401 });
  });
  const store: Pick<SessionStore, 'liveToken' | 'replace'> = {
    liveToken: async () => tokens[0],
    replace: async () => void tokens.shift(),
  };
  return { send: authorizedFetch(store as SessionStore), sent };
}

it('sends the live token, and keeps the other headers', async () => {
  const { send, sent } = session(['a'], 'a');
  expect((await send('/graphql', { headers: { accept: 'x' } })).status).toBe(200);
  expect(sent).toEqual(['Bearer a']);
});

it('tries once more with the next token when one is refused', async () => {
  const { send, sent } = session(['a', 'b'], 'b');
  expect((await send('/graphql')).status).toBe(200);
  expect(sent).toEqual(['Bearer a', 'Bearer b']);
});

it('gives the refusal on when there is no next token, and sends none without a session', async () => {
  const over = session(['a'], 'b');
  expect((await over.send('/graphql')).status).toBe(401);
  expect(over.sent).toEqual(['Bearer a']);
  const anonymous = session([], 'b');
  await anonymous.send('/graphql');
  expect(anonymous.sent).toEqual([null]);
});
