import { createHmac } from 'node:crypto';
import type { AccountId, TenantId } from '@kindred/domain/ids';
import { scopesOfRole, type Viewer } from '@kindred/domain/viewer';
import { jwtVerify } from 'jose';
import { afterEach, expect, test, vi } from 'vitest';
import { signInternalToken, verifyInternalToken } from './internal-token.ts';

const SECRET = 'a secret of the tests, long enough to be one';
const viewer: Viewer = {
  kind: 'account',
  accountId: '01990000-0000-7000-8000-000000000002' as AccountId,
  tenantId: '01990000-0000-7000-8000-000000000001' as TenantId,
  role: 'OWNER',
  scopes: scopesOfRole('OWNER'),
};
const text = '{"query":"{ tenant { name } }"}';
const request = { audience: 'tenant', viewer, body: text };
const verify = (token: string | undefined, body = text, audience = 'tenant') =>
  verifyInternalToken(SECRET, { audience, token, body: Buffer.from(body) }).viewer;

afterEach(() => {
  vi.useRealTimers();
});

test('a token gives the viewer it was signed for', () => {
  expect(verify(signInternalToken(SECRET, request))).toEqual(viewer);
});

test('a token names its client, and no two tokens of one request are the same', () => {
  const read = (token: string) => verifyInternalToken(SECRET, { audience: 'tenant', token, body: Buffer.from(text) });
  expect(read(signInternalToken(SECRET, { ...request, clientAddress: '192.0.2.7' })).clientAddress).toBe('192.0.2.7');
  const [one, two] = [read(signInternalToken(SECRET, request)), read(signInternalToken(SECRET, request))];
  expect(one.clientAddress).toBeNull();
  expect(one.tokenId).not.toEqual(two.tokenId);
});

test('a token is a JWT that other libraries read', async () => {
  const { payload } = await jwtVerify(signInternalToken(SECRET, request), new TextEncoder().encode(SECRET), {
    audience: 'tenant',
    algorithms: ['HS256'],
  });
  expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(60);
});

test('a token is refused after 60 s and 5 s for clocks that differ', () => {
  vi.useFakeTimers({ now: 1_800_000_000_000 });
  const token = signInternalToken(SECRET, request);
  vi.setSystemTime(1_800_000_064_000);
  expect(verify(token)).toEqual(viewer);
  vi.setSystemTime(1_800_000_066_000);
  expect(() => verify(token)).toThrow('it is not valid now');
});

test('a token from the future is refused', () => {
  vi.useFakeTimers({ now: 1_800_000_060_000 });
  const token = signInternalToken(SECRET, request);
  vi.setSystemTime(1_800_000_000_000);
  expect(() => verify(token)).toThrow('it is not valid now');
});

test('a token is refused for another audience and for another body', () => {
  const token = signInternalToken(SECRET, request);
  expect(() => verify(token, text, 'model')).toThrow('it is for another audience');
  expect(() => verify(token, `${text} `)).toThrow('it is for another request body');
});

test.for([
  ['is missing', undefined],
  ['is empty', ''],
  ['has too few parts', 'a.b'],
  ['was signed with another secret', signInternalToken(`${SECRET}!`, request)],
  ['was cut', signInternalToken(SECRET, request).slice(0, -4)],
  ['has a part more', `${signInternalToken(SECRET, request)}.x`],
] as const)('a token is refused that %s', ([, token]) => {
  expect(() => verify(token)).toThrow(expect.objectContaining({ code: 'UNAUTHENTICATED' }));
});

test.for(['{"alg":"none","typ":"JWT"}', '{"alg":"HS512","typ":"JWT"}'])(
  'a token with the header %s is refused, however it is signed',
  (header) => {
    const [, payload] = signInternalToken(SECRET, request).split('.');
    const signed = `${Buffer.from(header).toString('base64url')}.${payload}`;
    const signature = createHmac('sha256', SECRET).update(signed).digest('base64url');
    expect(() => verify(`${signed}.${signature}`)).toThrow('it is not of our form');
    expect(() => verify(`${signed}.`)).toThrow('it is not of our form');
  },
);
