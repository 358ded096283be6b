import { createHmac } from 'node:crypto';
import type { TenantId } from '@kindred/domain/ids';
import { scopesOfRole, type Viewer } from '@kindred/domain/viewer';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { INTERNAL_TOKEN_HEADER, signInternalToken } from './internal-token.ts';
import { createLogger } from './logger.ts';
import { type RunningServer, startSubgraph } from './subgraph-server.ts';

const SECRET = 'a secret of the tests, long enough to be one';
const TENANT = '01990000-0000-7000-8000-000000000001' as TenantId;
const viewer: Viewer = {
  kind: 'account',
  accountId: TENANT as never,
  tenantId: TENANT,
  role: 'OWNER',
  scopes: scopesOfRole('OWNER'),
};

const ran: string[] = [];
let server: RunningServer;
beforeAll(async () => {
  server = await startSubgraph({
    name: 'catalog',
    typeDefs: 'type Query { read: String! } type Mutation { write: String! } type Subscription { follow: String! }',
    resolvers: {
      Query: { read: () => (ran.push('read'), 'read') },
      Mutation: { write: () => (ran.push('write'), 'written') },
      Subscription: {
        follow: {
          subscribe: async function* follow() {
            ran.push('follow');
            yield { follow: 'followed' };
          },
        },
      },
    },
    env: { host: '127.0.0.1', port: 0, internalTokenSecret: SECRET },
    createContext: (admitted) => {
      ran.push('context');
      return { viewer: admitted };
    },
    logger: createLogger('test', 'silent'),
    readiness: {},
  });
});
afterAll(() => server.drain());
afterEach(() => {
  vi.useRealTimers();
  ran.length = 0;
});

const OPERATIONS = [
  ['/graphql', '{ read }'],
  ['/graphql', 'mutation { write }'],
  ['/graphql/stream', 'subscription { follow }'],
] as const;
type Operation = (typeof OPERATIONS)[number];

function bodyOf([, query]: Operation): string {
  return JSON.stringify({ query });
}

async function post(operation: Operation, token: string | undefined, body = bodyOf(operation)): Promise<number> {
  const headers = {
    'content-type': 'application/json',
    ...(token !== undefined && { [INTERNAL_TOKEN_HEADER]: token }),
  };
  const response = await fetch(`${server.url}${operation[0]}`, { method: 'POST', headers, body });
  await response.text();
  return response.status;
}

function sign(operation: Operation, changes: { audience?: string; secret?: string } = {}): string {
  const { audience = 'catalog', secret = SECRET } = changes;
  return signInternalToken(secret, { audience, viewer, body: bodyOf(operation) });
}

/** The token with other claims, signed with our secret or keeping the signature it had. */
function alter(token: string, changes: object, secret?: string): string {
  const [header, payload = '', signature] = token.split('.');
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as object;
  const altered = `${header}.${Buffer.from(JSON.stringify({ ...claims, ...changes })).toString('base64url')}`;
  const next = secret === undefined ? signature : createHmac('sha256', secret).update(altered).digest('base64url');
  return `${altered}.${next}`;
}

const FORGERIES: [string, (operation: Operation) => string | undefined][] = [
  ['there is none', () => undefined],
  ['it is empty', () => ''],
  ['it is unsigned', (operation) => `${sign(operation).split('.').slice(0, 2).join('.')}.`],
  [
    'it says that it needs no signature',
    (operation) =>
      `${Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url')}.${sign(operation).split('.')[1]}.`,
  ],
  ['another secret signed it', (operation) => sign(operation, { secret: `${SECRET}!` })],
  ['it is for another subgraph', (operation) => sign(operation, { audience: 'tenant' })],
  ['it is for all subgraphs', (operation) => sign(operation, { audience: '*' })],
  ['its viewer was altered', (operation) => alter(sign(operation), { viewer: { ...viewer, tenantId: 'another' } })],
  ['its audience was altered', (operation) => alter(sign(operation, { audience: 'tenant' }), { aud: 'catalog' })],
  ['its end was altered', (operation) => alter(sign(operation), { exp: 9_999_999_999 })],
  ['it has expired', (operation) => alter(sign(operation), { exp: Math.floor(Date.now() / 1000) - 60 }, SECRET)],
  ['it is not valid yet', (operation) => alter(sign(operation), { iat: Math.floor(Date.now() / 1000) + 60 }, SECRET)],
  [
    'it was signed for another body',
    (operation) => signInternalToken(SECRET, { audience: 'catalog', viewer, body: `${bodyOf(operation)} ` }),
  ],
];

for (const operation of OPERATIONS) {
  test.each(FORGERIES)(`${operation[1]} runs nothing when the token is refused: %s`, async (_, forge) => {
    expect(await post(operation, forge(operation))).toBe(401);
    expect(ran).toEqual([]);
  });

  test(`${operation[1]} runs once with one token: a replay runs nothing, also at the same time`, async () => {
    const token = sign(operation);
    const statuses = await Promise.all(Array.from({ length: 20 }, () => post(operation, token)));
    expect(statuses.toSorted((a, b) => a - b)).toEqual([200, ...Array.from({ length: 19 }, () => 401)]);
    expect(ran.filter((step) => step !== 'context')).toHaveLength(1);
    expect(await post(operation, token)).toBe(401);
  });
}

test('a token moves to no other body', async () => {
  const [read, write] = OPERATIONS;
  expect(await post(read, sign(read), bodyOf(write))).toBe(401);
  expect(ran).toEqual([]);
});
