import { once } from 'node:events';
import type { TenantId } from '@kindred/domain/ids';
import type { Viewer } from '@kindred/domain/viewer';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { type CallSeal, createCallSeal, SEAL_CHARS } from './call-seal.ts';
import { INTERNAL_TOKEN_HEADER, signInternalToken } from './internal-token.ts';
import { createLogger } from './logger.ts';
import {
  CHANNEL_PATH,
  CHANNEL_PROTOCOL,
  CHANNEL_REQUEST,
  DRAIN_MESSAGE,
  readAnswerMessage,
  writeCall,
  writeCancel,
} from './operation-channel.ts';
import { joinLines } from './operation-lines.ts';
import { startSubgraph } from './subgraph-server.ts';
import { newTraceId, traceparent } from './trace.ts';

const SECRET = 'a secret of the tests, long enough to be one';
const TENANT_A = '01990000-0000-7000-8000-00000000000a' as TenantId;
const TENANT_B = '01990000-0000-7000-8000-00000000000b' as TenantId;
const viewerOf = (tenantId: TenantId): Viewer => ({
  kind: 'apiKey',
  apiKeyId: tenantId as never,
  tenantId,
  scopes: [],
});

const typeDefs = /* GraphQL */ `
  type Query {
    tenant: String!
    slow: String
    leftMs: Int
  }
`;

async function startTestSubgraph() {
  const asked: string[] = [];
  const slow = Promise.withResolvers<string>();
  const left = Promise.withResolvers<void>();
  const server = await startSubgraph({
    name: 'catalog',
    typeDefs,
    resolvers: {
      Query: {
        tenant: (_: unknown, __: unknown, { viewer }: { viewer: { tenantId: string } }) => {
          asked.push(viewer.tenantId);
          return viewer.tenantId;
        },
        slow: (_: unknown, __: unknown, { signal }: { signal: AbortSignal }) => {
          asked.push('slow');
          signal.addEventListener('abort', () => left.resolve());
          return slow.promise;
        },
        leftMs: (_: unknown, __: unknown, { deadlineAt }: { deadlineAt: number | null }) =>
          deadlineAt === null ? null : Math.round(deadlineAt - performance.now()),
      },
    },
    env: { host: '127.0.0.1', port: 0, internalTokenSecret: SECRET },
    createContext: (viewer, request) => ({ viewer, signal: request.signal, deadlineAt: request.deadlineAt }),
    logger: createLogger('test', 'silent'),
    readiness: {},
  });
  return { server, asked, slow, left: left.promise, [Symbol.asyncDispose]: () => server.drain() };
}

const sign = (body: string, { tenantId = TENANT_A, audience = 'catalog', secret = SECRET } = {}) =>
  signInternalToken(secret, { audience, viewer: viewerOf(tenantId), body });

const upgradeToken = () => sign(CHANNEL_REQUEST);

function open(url: string, token: string | undefined, path = CHANNEL_PATH): WebSocket {
  const headers = token === undefined ? {} : { [INTERNAL_TOKEN_HEADER]: token };
  return new WebSocket(`${url.replace('http', 'ws')}${path}`, CHANNEL_PROTOCOL, { headers });
}

/** The status with which an upgrade is refused. */
async function refusal(webSocket: WebSocket): Promise<number | undefined> {
  const [, response] = (await once(webSocket, 'unexpected-response')) as [unknown, { statusCode?: number }];
  webSocket.on('error', () => undefined);
  webSocket.terminate();
  return response.statusCode;
}

interface CallChange {
  tenantId?: TenantId;
  id?: number;
  ageS?: number;
  hasLines?: boolean;
  timeout?: string;
  seal?: CallSeal;
  /** What is sent in place of what was sealed. */
  alter?: (message: string) => string;
}

async function connect(url: string) {
  const token = upgradeToken();
  const ownSeal = createCallSeal(SECRET, token);
  const webSocket = open(url, token);
  const said: string[] = [];
  const waiting: ((message: string) => void)[] = [];
  webSocket.on('message', (message: Buffer) => {
    const text = message.toString('utf8');
    const next = waiting.shift();
    if (next === undefined) said.push(text);
    else next(text);
  });
  await once(webSocket, 'open');
  const hear = async () => said.shift() ?? (await new Promise<string>((resolve) => waiting.push(resolve)));
  let lastId = 0;
  return {
    webSocket,
    seal: ownSeal,
    hear,
    hearAnswer: async () => {
      const answer = readAnswerMessage(Buffer.from(await hear()));
      return answer && { ...answer, text: answer.text.split('\n').map((line): unknown => JSON.parse(line)) };
    },
    ask: (body: string, change: CallChange = {}) => {
      const { tenantId = TENANT_A, ageS = 0, hasLines = false, timeout = '', seal = ownSeal } = change;
      const id = change.id ?? ++lastId;
      const issuedAt = Math.floor(Date.now() / 1000) - ageS;
      const call = { id, issuedAt, traceparent: traceparent(newTraceId()), timeout, hasLines, clientAddress: null };
      const message = writeCall(call, { viewer: viewerOf(tenantId), body }, seal.sign);
      webSocket.send(change.alter?.(message) ?? message);
      return id;
    },
    [Symbol.dispose]: () => webSocket.terminate(),
  };
}

const SEAL = '-'.repeat(SEAL_CHARS);
const TENANT = JSON.stringify({ query: '{ tenant }' });
const SLOW = JSON.stringify({ query: '{ slow }' });

test('each call of a channel is answered when it is ready, for its own viewer', async () => {
  await using subgraph = await startTestSubgraph();
  using channel = await connect(subgraph.server.url);
  const slow = channel.ask(SLOW);
  const a = channel.ask(TENANT);
  expect(await channel.hearAnswer()).toEqual({ id: a, status: 200, text: [{ data: { tenant: TENANT_A } }] });
  const b = channel.ask(TENANT, { tenantId: TENANT_B });
  expect(await channel.hearAnswer()).toEqual({ id: b, status: 200, text: [{ data: { tenant: TENANT_B } }] });
  subgraph.slow.resolve('at last');
  expect(await channel.hearAnswer()).toEqual({ id: slow, status: 200, text: [{ data: { slow: 'at last' } }] });
});

test('operations that share a body are answered line by line', async () => {
  await using subgraph = await startTestSubgraph();
  using channel = await connect(subgraph.server.url);
  channel.ask(joinLines([TENANT, '{', TENANT]), { hasLines: true });
  const answer = await channel.hearAnswer();
  expect(answer?.text).toEqual([
    { data: { tenant: TENANT_A } },
    { errors: [expect.objectContaining({ message: 'The request body is no JSON.' })] },
    { data: { tenant: TENANT_A } },
  ]);
});

test('a subgraph hears how long the caller of a call waits', async () => {
  await using subgraph = await startTestSubgraph();
  using channel = await connect(subgraph.server.url);
  const body = JSON.stringify({ query: '{ leftMs }' });
  channel.ask(body, { timeout: '60000' });
  const [answer] = (await channel.hearAnswer())?.text ?? [];
  expect(answer).toEqual({ data: { leftMs: expect.closeTo(60_000, -4) as number } });
  channel.ask(body);
  expect((await channel.hearAnswer())?.text).toEqual([{ data: { leftMs: null } }]);
});

test.for([
  ['has none', undefined],
  ['is for another subgraph', sign(CHANNEL_REQUEST, { audience: 'tenant' })],
  ['is signed by somebody else', sign(CHANNEL_REQUEST, { secret: 'a secret of somebody else, as long as ours' })],
  ['is for a body', sign(TENANT)],
] as const)('no channel is opened when its token %s', async ([, token]) => {
  await using subgraph = await startTestSubgraph();
  expect(await refusal(open(subgraph.server.url, token))).toBe(401);
});

test('a token opens one channel, and none at another path', async () => {
  await using subgraph = await startTestSubgraph();
  const token = upgradeToken();
  const first = open(subgraph.server.url, token);
  await once(first, 'open');
  expect(await refusal(open(subgraph.server.url, token))).toBe(401);
  expect(await refusal(open(subgraph.server.url, upgradeToken(), '/graphql/other'))).toBe(404);
  first.terminate();
});

const other = createCallSeal(SECRET, upgradeToken());
const forged = createCallSeal('a secret of somebody else, as long as ours', upgradeToken());

test.for<[string, CallChange]>([
  ['unsealed', { seal: { ...other, sign: () => '-'.repeat(SEAL_CHARS) } }],
  ['sealed for another channel', { seal: other }],
  ['sealed by somebody else', { seal: forged }],
  ['too old', { ageS: 70 }],
  ['of a time to come', { ageS: -70 }],
  ['altered in its viewer', { alter: (message) => message.replace(TENANT_A, TENANT_B) }],
  ['altered in its body', { alter: (message) => message.replace('{ tenant }', '{tenant }') }],
  ['altered in its time', { alter: (message) => message.replace(/ \d{10} /, ' 1900000000 ') }],
])('a call on an open channel runs nothing when it is %s', async ([, change]) => {
  await using subgraph = await startTestSubgraph();
  using channel = await connect(subgraph.server.url);
  channel.ask(TENANT, change);
  expect(await channel.hearAnswer()).toMatchObject({
    status: 401,
    text: [{ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] }],
  });
  expect(subgraph.asked).toEqual([]);
});

test('a call is run once: heard again, on its own channel or on another one, it runs nothing', async () => {
  await using subgraph = await startTestSubgraph();
  using channel = await connect(subgraph.server.url);
  using second = await connect(subgraph.server.url);
  channel.ask(TENANT, { id: 7 });
  expect(await channel.hearAnswer()).toMatchObject({ id: 7, status: 200 });
  channel.ask(TENANT, { id: 7 });
  expect(await channel.hearAnswer()).toMatchObject({ id: 7, status: 401 });
  channel.ask(TENANT, { id: 6 });
  expect(await channel.hearAnswer()).toMatchObject({ id: 6, status: 401 });
  second.ask(TENANT, { id: 8, seal: channel.seal });
  expect(await second.hearAnswer()).toMatchObject({ id: 8, status: 401 });
  expect(subgraph.asked).toEqual([TENANT_A]);
});

test('a call that is cancelled, or whose channel is lost, ends what it began', async () => {
  await using subgraph = await startTestSubgraph();
  using channel = await connect(subgraph.server.url);
  const id = channel.ask(SLOW);
  await expect.poll(() => subgraph.asked).toEqual(['slow']);
  channel.webSocket.send(writeCancel(id));
  await subgraph.left;
  subgraph.slow.resolve('for nobody');
  channel.ask(TENANT);
  expect(await channel.hearAnswer()).toMatchObject({ text: [{ data: { tenant: TENANT_A } }] });

  await using second = await startTestSubgraph();
  using lost = await connect(second.server.url);
  lost.ask(SLOW);
  await expect.poll(() => second.asked).toEqual(['slow']);
  lost.webSocket.terminate();
  await second.left;
});

test.for([
  '',
  'hello',
  'cancel',
  'cancel all',
  '1 0 - - one -\n{}\n{}',
  `${SEAL}1 0 - - one\n{}\n{}`,
  `${SEAL}1 0 - - one - more\n{}\n{}`,
  `${SEAL}1 0 - - many -\n{}\n{}`,
  `${SEAL}one 0 - - one -\n{}\n{}`,
  `${SEAL}1 now - - one -\n{}\n{}`,
  `${SEAL}1 0 - - one -\n{}`,
])('a channel on which "%s" is said is closed', async (message) => {
  await using subgraph = await startTestSubgraph();
  using channel = await connect(subgraph.server.url);
  channel.webSocket.send(message);
  const [code] = await once(channel.webSocket, 'close');
  expect(code).toBe(1008);
});

test('a server that drains asks its callers to leave, and answers what they still ask', async () => {
  const subgraph = await startTestSubgraph();
  using channel = await connect(subgraph.server.url);
  const slow = channel.ask(SLOW);
  await expect.poll(() => subgraph.asked).toEqual(['slow']);
  const drained = subgraph.server.drain();
  expect(await channel.hear()).toBe(DRAIN_MESSAGE);
  const late = channel.ask(TENANT);
  expect(await channel.hearAnswer()).toMatchObject({ id: late, status: 200 });
  subgraph.slow.resolve('in time');
  expect(await channel.hearAnswer()).toMatchObject({ id: slow, text: [{ data: { slow: 'in time' } }] });
  channel.webSocket.close();
  await drained;
});
