import { EventEmitter, on } from 'node:events';
import { readFile } from 'node:fs/promises';
import { AppError } from '@kindred/domain/app-error';
import { encodeGlobalId, newId, type TenantId } from '@kindred/domain/ids';
import { type ApiKeyKind, scopesOfApiKeyKind, type Viewer } from '@kindred/domain/viewer';
import { requireSystem, requireTenant } from '@kindred/service/guards';
import { createLogger } from '@kindred/service/logger';
import { vouchedOf } from '@kindred/service/request-pipeline';
import { type RunningServer, startSubgraph } from '@kindred/service/subgraph-server';
import { type CryptoKey, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { testInfrastructure } from '@kindred/testing/infrastructure';
import { type GatewayOptions, startGateway } from './gateway.ts';
import type { SubgraphName } from './subgraphs.ts';
import type { Allowance } from './usage/allowances.ts';
import type { UsageBatch, UsageEntry } from './usage/usage-ledger.ts';

export const INTERNAL_SECRET = 'a secret of the gateway tests, long enough';
export const ALLOWED_ORIGIN = 'http://dashboard.test';

/** One call that a stub subgraph received, as its resolvers saw it. */
interface Call {
  subgraph: SubgraphName;
  field: string;
  viewer: Viewer;
  /** The subgraph's own: aborted when the gateway no longer waits. */
  signal: AbortSignal;
}

interface Context {
  viewer: Viewer;
  signal: AbortSignal;
}

/** What the stubs know and record. */
export interface World {
  tenantId: TenantId;
  apiKeys: Map<string, ApiKeyKind>;
  /** The rules of keys that have some. */
  apiKeyRules: Map<string, { tenantId?: string; allowedOrigins?: string[]; expiresAt?: string }>;
  /** Texts by their tenant and digest. */
  publishedDocuments: Map<string, string>;
  calls: Call[];
  /** What the tenant subgraph says of every tenant; an Error: nothing. */
  allowance: Allowance | Error;
  /** The ledger: entries by batch. */
  batches: Map<string, UsageEntry[]>;
  /** Whether batches are recorded whose acknowledgement then is lost. */
  losesAcknowledgements: boolean;
  /** What the recommendation subgraph waits for before it answers. */
  recommending: Promise<void>;
  /** Emits `event` with the sequence of a training event, "end", or an Error to break the source with; `messageChars` lengthens its message. */
  bus: EventEmitter;
  /** How many subscriptions are open in the model subgraph. */
  openStreams: number;
  publicKeys: object[];
  messageChars: number;
  /** Whether events that were emitted are told to whoever subscribes later, as a database would. */
  keepsEvents: boolean;
  /** The last event that whoever subscribes later is told. */
  lastSequence(): number;
  emitEvent(sequence: number): void;
}

type Resolver = (parent: Record<string, unknown>, args: Record<string, unknown>, context: Context) => unknown;

function recorder(world: World, subgraph: SubgraphName) {
  return (field: string, resolve: Resolver): Resolver =>
    (parent, args, context) => {
      world.calls.push({ subgraph, field, ...context });
      return resolve(parent, args, context);
    };
}

function tenantResolvers(world: World): object {
  const record = recorder(world, 'tenant');
  const tenantOf = (viewer: Viewer) => ({ id: encodeGlobalId('Tenant', requireTenant(viewer)), name: 'Acme' });
  return {
    Query: {
      viewer: record('viewer', (_parent, _args, { viewer }) =>
        viewer.kind === 'anonymous' ? null : { tenant: tenantOf(viewer), scopes: viewer.scopes },
      ),
      tenant: record('tenant', (_parent, _args, { viewer }) => tenantOf(viewer)),
      authenticateApiKey: record('authenticateApiKey', (_parent, { apiKey }, { viewer }) => {
        requireSystem(viewer);
        const kind = world.apiKeys.get(String(apiKey));
        if (kind === undefined) return null;
        const tenantId = encodeGlobalId('Tenant', world.tenantId);
        const apiKeyId = encodeGlobalId('ApiKey', newId('ApiKey'));
        const rules = { allowedOrigins: [], expiresAt: null, ...world.apiKeyRules.get(String(apiKey)) };
        return { apiKeyId, tenantId, scopes: scopesOfApiKeyKind(kind), ...rules };
      }),
      tenantAllowance: (_parent: unknown, _args: unknown, { viewer }: Context) => {
        requireSystem(viewer);
        if (world.allowance instanceof Error) throw world.allowance;
        return world.allowance;
      },
      publishedDocument: record(
        'publishedDocument',
        (_parent, { digest }, { viewer }) =>
          world.publishedDocuments.get(`${requireTenant(viewer)} ${String(digest)}`) ?? null,
      ),
    },
    Mutation: {
      recordUsage: (_parent: unknown, { input }: { input: UsageBatch }, { viewer }: Context) => {
        requireSystem(viewer);
        if (!world.batches.has(input.batchId)) world.batches.set(input.batchId, input.entries);
        if (world.losesAcknowledgements) throw new Error('The connection was lost');
        return { entryCount: input.entries.length, userErrors: [] };
      },
      publishDocuments: record('publishDocuments', () => ({ documentIds: [], userErrors: [] })),
    },
    Tenant: {
      __resolveReference: (reference: { id: string }, context: Context) => {
        world.calls.push({ subgraph: 'tenant', field: 'Tenant', ...context });
        return { ...tenantOf(context.viewer), id: reference.id };
      },
      apiKeys: () => {
        throw new Error('relation api_keys at postgres://10.0.0.7 does not exist');
      },
    },
  };
}

function catalogResolvers(world: World): object {
  const record = recorder(world, 'catalog');
  return {
    Query: {
      item: record('item', (_parent, { externalId }) => {
        if (externalId === 'missing') throw new AppError('NOT_FOUND', 'There is no such item.');
        if (externalId === 'slow') return new Promise(() => {});
        return { id: `itm_${String(externalId)}`, externalId, title: `Film ${String(externalId)}` };
      }),
    },
    Item: { __resolveReference: ({ id }: { id: string }) => ({ id, title: `Film ${id.slice(4)}` }) },
  };
}

function modelResolvers(world: World): object {
  const modelOf = (viewer: Viewer) => ({
    id: 'mdl_1',
    name: 'For you',
    tenant: { id: encodeGlobalId('Tenant', requireTenant(viewer)) },
  });
  const eventOf = (sequence: number, viewer: Viewer) => ({
    trainingProgress: {
      sequence,
      at: '2026-11-23T17:00:00Z',
      kind: 'LOG',
      message: `line ${sequence}`.padEnd(world.messageChars),
      run: { id: 'run_1', viewer },
    },
  });
  return {
    Query: { model: (_parent: unknown, _args: unknown, { viewer }: Context) => modelOf(viewer) },
    Subscription: {
      trainingProgress: {
        async *subscribe(
          _parent: unknown,
          { runId, afterSequence }: { runId: string; afterSequence?: number },
          context: Context,
        ) {
          if (runId === 'run_missing') throw new AppError('NOT_FOUND', 'There is no such run.');
          world.openStreams += 1;
          const live = on(world.bus, 'event', { signal: context.signal });
          try {
            for (let sequence = (afterSequence ?? 0) + 1; sequence <= world.lastSequence(); sequence++)
              yield eventOf(sequence, context.viewer);
            for await (const [event] of live) {
              if (event instanceof Error) throw event;
              if (event === 'end') return;
              yield eventOf(Number(event), context.viewer);
            }
          } finally {
            world.openStreams -= 1;
          }
        },
      },
    },
    TrainingRun: { model: ({ viewer }: { viewer: Viewer }) => modelOf(viewer) },
    ModelVersion: {
      __resolveReference: ({ id }: { id: string }, { viewer }: Context) => ({ id, number: 3, model: modelOf(viewer) }),
    },
  };
}

function recommendationResolvers(world: World): object {
  const record = recorder(world, 'recommendation');
  return {
    Query: {
      recommend: record('recommend', async () => {
        await world.recommending;
        return {
          recommendationId: 'rec_1',
          status: 'PERSONALIZED',
          modelVersion: { id: 'ver_1' },
          edges: ['7', '8'].map((item, index) => ({
            node: { id: `itm_${item}` },
            rank: index + 1,
            score: 1 - index / 10,
          })),
        };
      }),
    },
  };
}

type Overrides = Partial<
  Pick<
    GatewayOptions,
    | 'production'
    | 'redisUrl'
    | 'ratePolicy'
    | 'usageFlushMs'
    | 'persistedDocuments'
    | 'maxConnectionsPerTenant'
    | 'planBudgetMs'
  >
>;

/** The gateway before four stub subgraphs on their real contracts, all in this process on free ports. */
export async function startTestGraph(overrides: Overrides = {}) {
  const { publicKey, privateKey } = await generateKeyPair('EdDSA');
  const publicJwk = { ...(await exportJWK(publicKey)), kid: 'test', alg: 'EdDSA', use: 'sig' };
  const world = createWorld(publicJwk);
  const lines: string[] = [];
  const logger = createLogger('test', 'info', { write: (line) => void lines.push(line) });
  const subgraphs = await startStubs(world, logger);
  const subgraphUrls = Object.fromEntries(Object.entries(subgraphs).map(([name, { url }]) => [name, url])) as Record<
    SubgraphName,
    string
  >;
  const gateway = await startGateway({
    host: '127.0.0.1',
    port: 0,
    subgraphUrls,
    internalTokenSecret: INTERNAL_SECRET,
    allowedOrigins: [ALLOWED_ORIGIN],
    production: false,
    redisUrl: testInfrastructure().redisUrl,
    persistedDocuments: [],
    trustedProxies: 0,
    logger,
    ...overrides,
  });
  return {
    world,
    gateway,
    subgraphs,
    lines,
    signSession: createSignSession(world, privateKey),
    [Symbol.asyncDispose]: async () => {
      await gateway.drain();
      await Promise.all(Object.values(subgraphs).map((server) => server.drain()));
    },
  };
}

function createWorld(publicJwk: object): World {
  const bus = new EventEmitter().setMaxListeners(0);
  let lastSequence = 2;
  const world: World = {
    tenantId: newId('Tenant'),
    apiKeys: new Map(),
    apiKeyRules: new Map(),
    publishedDocuments: new Map(),
    calls: [],
    allowance: { plan: 'SCALE', requests: 0, points: 0 },
    batches: new Map(),
    losesAcknowledgements: false,
    recommending: Promise.resolve(),
    bus,
    openStreams: 0,
    publicKeys: [publicJwk],
    messageChars: 0,
    keepsEvents: false,
    lastSequence: () => (world.keepsEvents ? lastSequence : 2),
    emitEvent: (sequence) => {
      lastSequence = sequence;
      bus.emit('event', sequence);
    },
  };
  return world;
}

function createSignSession({ tenantId }: World, privateKey: CryptoKey) {
  return (
    claims: Record<string, unknown> = {},
    { audience = 'kindred-api', expiresIn = '1h', key = privateKey } = {},
  ) =>
    new SignJWT({ sub: newId('Account'), tenant: tenantId, role: 'MEMBER', ...claims })
      .setProtectedHeader({ alg: 'EdDSA', kid: 'test' })
      .setIssuer('kindred')
      .setAudience(audience)
      .setIssuedAt()
      .setExpirationTime(expiresIn)
      .sign(key);
}

export type TestGraph = Awaited<ReturnType<typeof startTestGraph>>;

async function startStubs(
  world: World,
  logger: ReturnType<typeof createLogger>,
): Promise<Record<SubgraphName, RunningServer>> {
  const start = async (name: SubgraphName, resolvers: object) =>
    await startSubgraph<Context>({
      name,
      typeDefs: await readFile(new URL(`../../subgraphs/${name}/schema.graphql`, import.meta.url), 'utf8'),
      resolvers,
      env: { host: '127.0.0.1', port: 0, internalTokenSecret: INTERNAL_SECRET },
      createContext: (viewer, { signal }) => ({ viewer, signal }),
      logger,
      readiness: {},
      routes: (app, admit) => {
        app.get('/.well-known/jwks.json', (_req, res) => void res.json({ keys: world.publicKeys }));
        app.post('/files/echo', admit, (req, res) => {
          res.set('x-tenant', requireTenant(vouchedOf(res).viewer)).attachment('echo.bin');
          req.pipe(res);
        });
      },
    });
  const [tenant, catalog, model, recommendation] = await Promise.all([
    start('tenant', tenantResolvers(world)),
    start('catalog', catalogResolvers(world)),
    start('model', modelResolvers(world)),
    start('recommendation', recommendationResolvers(world)),
  ]);
  return { tenant, catalog, model, recommendation };
}
