import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { createSessionRoutes, type SessionRoutes } from './session-routes.ts';

const NOW = Date.parse('2026-11-26T12:00:00Z');
const TOKEN = 'refresh-token-number-1';
const LIVE = { accessToken: 'access 2', expiresAt: '2026-11-26T12:15:00Z', refreshExpiresAt: '2026-12-03T12:00:00Z' };
const CLEARED = '__Host-kindred-session=; Path=/; HttpOnly; Secure; SameSite=Strict; Max-Age=0';

/** The gateway: what it was asked, and what it says. */
const asked: { query: string; variables: { input: { refreshToken: string } } }[] = [];
let says: object;
const gateway = createServer((incoming, response) => {
  let body = '';
  incoming.on('data', (chunk: Buffer) => (body += chunk.toString('utf8')));
  incoming.on('end', () => {
    asked.push(JSON.parse(body) as (typeof asked)[number]);
    response.setHeader('content-type', 'application/json').end(JSON.stringify(says));
  });
});
let routes: SessionRoutes;
beforeAll(async () => {
  await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve));
  const apiUrl = `http://127.0.0.1:${(gateway.address() as AddressInfo).port}`;
  routes = createSessionRoutes({ apiUrl, now: () => NOW });
});
afterAll(() => new Promise((resolve) => gateway.close(resolve)));
beforeEach(() => {
  asked.length = 0;
  says = { data: { refreshSession: { session: { ...LIVE, refreshToken: 'refresh-token-number-2' }, userErrors: [] } } };
});

const OWN = { 'content-type': 'application/json', 'sec-fetch-site': 'same-origin', host: 'kindred.example' };
const COOKIE = { cookie: `other=1; __Host-kindred-session=${TOKEN}` };

function request(headers: Record<string, string>, body: object = {}): Request {
  return new Request('https://kindred.example/session', { method: 'POST', headers, body: JSON.stringify(body) });
}

it('keeps the refresh token in a cookie that no script reads and no other site sends', async () => {
  const body = { refreshToken: TOKEN, refreshExpiresAt: '2026-12-03T12:00:00Z' };
  const response = await routes.keep(request(OWN, body));
  expect(response.status).toBe(200);
  expect(response.headers.get('set-cookie')).toBe(
    `__Host-kindred-session=${TOKEN}; Path=/; HttpOnly; Secure; SameSite=Strict; Max-Age=604800`,
  );
  expect(response.headers.get('cache-control')).toBe('no-store');
  expect(await response.text()).not.toContain(TOKEN);
});

it('exchanges it at the gateway: the page gets the access token alone, the cookie the next refresh token', async () => {
  const response = await routes.refresh(request({ ...OWN, ...COOKIE }));
  expect(asked.map(({ variables }) => variables.input.refreshToken)).toEqual([TOKEN]);
  expect(await response.json()).toEqual({ session: LIVE });
  expect(response.headers.get('set-cookie')).toContain('__Host-kindred-session=refresh-token-number-2; ');
});

it.each([
  ['INVALID', 401, CLEARED],
  ['CONFLICT', 409, null],
])('answers a refresh that the gateway refuses as %s with %d', async (code, status, cookie) => {
  says = { data: { refreshSession: { session: null, userErrors: [{ code }] } } };
  const response = await routes.refresh(request({ ...OWN, ...COOKIE }));
  expect([response.status, response.headers.get('set-cookie')]).toEqual([status, cookie]);
});

it('keeps the cookie where the gateway gives no data, and asks it nothing without a cookie', async () => {
  says = { errors: [{ message: 'internal address 10.0.0.1' }] };
  const failed = await routes.refresh(request({ ...OWN, ...COOKIE }));
  expect([failed.status, failed.headers.get('set-cookie')]).toEqual([502, null]);
  expect(await failed.text()).not.toContain('10.0.0.1');
  asked.length = 0;
  for (const cookie of ['', 'other=1', '__Host-kindred-session=', '__Host-kindred-session=a b c d e f g h i j k l m']) {
    expect((await routes.refresh(request({ ...OWN, cookie }))).status).toBe(401);
  }
  expect(asked).toEqual([]);
});

it('ends the session at the gateway and forgets the cookie, also when the gateway does not answer', async () => {
  says = { data: { signOut: { endedSessionCount: 1 } } };
  const ended = await routes.end(request({ ...OWN, ...COOKIE }));
  expect([ended.status, ended.headers.get('set-cookie')]).toEqual([200, CLEARED]);
  expect(asked[0]?.variables.input.refreshToken).toBe(TOKEN);
  says = {};
  const unheard = await routes.end(request({ ...OWN, ...COOKIE }));
  expect([unheard.status, unheard.headers.get('set-cookie')]).toEqual([502, CLEARED]);
});

it.each([
  ['of another site', { ...OWN, 'sec-fetch-site': 'cross-site' }],
  ['of a sibling of this host', { ...OWN, 'sec-fetch-site': 'same-site' }],
  ['that somebody typed in', { ...OWN, 'sec-fetch-site': 'none' }],
  [
    'of another origin',
    { 'content-type': 'application/json', host: 'kindred.example', origin: 'https://evil.example' },
  ],
  ['of a sandboxed frame', { 'content-type': 'application/json', host: 'kindred.example', origin: 'null' }],
  ['that says nothing of its page', { 'content-type': 'application/json', host: 'kindred.example' }],
  ['of a form', { ...OWN, 'content-type': 'text/plain' }],
])('refuses a request %s, whatever it asks for', async (_, headers) => {
  const body = { refreshToken: TOKEN, refreshExpiresAt: '2026-12-03T12:00:00Z' };
  for (const ask of [routes.keep, routes.refresh, routes.end]) {
    const response = await ask(request({ ...headers, ...COOKIE }, body));
    expect([response.status, response.headers.get('set-cookie')]).toEqual([403, null]);
  }
  expect(asked).toEqual([]);
});

it('takes a request of its own page from a browser that does not send Sec-Fetch-Site', async () => {
  const headers = { 'content-type': 'application/json', host: 'kindred.example', origin: 'https://kindred.example' };
  expect((await routes.refresh(request({ ...headers, ...COOKIE }))).status).toBe(200);
});

it.each([{}, { refreshToken: 'a; Domain=evil', refreshExpiresAt: LIVE.refreshExpiresAt }, { refreshToken: TOKEN }])(
  'keeps nothing of %j',
  async (body) => {
    const response = await routes.keep(request(OWN, body));
    expect([response.status, response.headers.get('set-cookie')]).toEqual([400, null]);
  },
);
