import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Db } from '@kindred/db/client';
import { type NewInteraction, recordInteractions } from '@kindred/db/interactions';
import { withTenant } from '@kindred/db/tenants';
import { encodeGlobalId, type ItemId, type TenantId } from '@kindred/domain/ids';
import { promotionTopic } from '@kindred/domain/training';
import { connectEventBus, type EventBus } from '@kindred/service/event-bus';
import { createLogger } from '@kindred/service/logger';
import { openObjectStore, type ObjectStore } from '@kindred/service/object-store';
import { connectUserHistories, type UserHistories } from '@kindred/service/user-histories';
import { type Checkerboard, seedCheckerboard } from '@kindred/testing/checkerboard';
import { testInfrastructure } from '@kindred/testing/infrastructure';
import { createSubgraphClient, type SubgraphClient, TEST_SERVER_ENV } from '@kindred/testing/subgraph-client';
import { createTestDatabase, type TestDatabase } from '@kindred/testing/test-database';
import { createTestTenant, type TestTenant } from '@kindred/testing/test-tenant';
import { expect, vi } from 'vitest';
import { type RecommendationOptions, startRecommendation } from './start-recommendation.ts';
import { promote, trainTestVersion, type TestVersion } from './test-version.ts';

/** The recommendation subgraph on a database and an object store of its own, asked over HTTP as the gateway asks it. */
export interface TestRecommendation extends AsyncDisposable, SubgraphClient {
  readonly database: Pick<TestDatabase, 'close' | 'open'>;
  readonly db: Db;
  readonly objects: ObjectStore;
  readonly histories: UserHistories;
  readonly events: EventBus;
  readonly folder: string;
  readonly url: string;
  /** What the subgraph has logged. */
  readonly logged: { msg: string; level: number; versionId?: string; tenantId?: string }[];
  /** Moves the clock of the subgraph. */
  passTime(ms: number): void;
  /** Says that a tenant's active version changed, as the training and the model subgraph do. */
  announcePromotion(tenantId: TenantId): Promise<void>;
}

type TestBounds = Partial<
  Pick<RecommendationOptions, 'mostTenants' | 'mostBytes' | 'resultCacheBytes' | 'mostQuestions' | 'mostSearchesAtOnce'>
>;

export async function createTestRecommendation({
  redisUrl = testInfrastructure().redisUrl,
  ...bounds
}: TestBounds & { redisUrl?: string } = {}): Promise<TestRecommendation> {
  const database = await createTestDatabase();
  const folder = await mkdtempDisposable(join(tmpdir(), 'kindred-recommendation-'));
  const { db } = database;
  const objects = openObjectStore({ url: pathToFileURL(folder.path).href });
  const events = connectEventBus(redisUrl);
  const histories = connectUserHistories(redisUrl);
  const logged: TestRecommendation['logged'] = [];
  const logger = createLogger('recommendation', 'info', { write: (line) => void logged.push(JSON.parse(line)) });
  let passedMs = 0;
  const now = () => performance.now() + passedMs;
  const deps = { db, objects, events, histories, logger, now, env: TEST_SERVER_ENV };
  const server = await startRecommendation({ ...bounds, ...deps });
  return {
    database,
    db,
    objects,
    histories,
    events,
    folder: folder.path,
    url: server.url,
    logged,
    passTime: (ms) => {
      passedMs += ms;
    },
    announcePromotion: async (tenantId) => void (await events.publish(promotionTopic(tenantId), '{}')),
    ...createSubgraphClient({ name: 'recommendation', url: server.url }),
    [Symbol.asyncDispose]: async () => {
      await server.drain();
      await events.close();
      histories.close();
      await database[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** One more server over the same database, object store and Redis. */
export async function startReplica({
  db,
  objects,
  histories,
}: Pick<TestRecommendation, 'db' | 'objects' | 'histories'>): Promise<SubgraphClient & AsyncDisposable> {
  const events = connectEventBus(testInfrastructure().redisUrl);
  const logger = createLogger('recommendation', 'silent');
  const server = await startRecommendation({ db, objects, histories, events, logger, env: TEST_SERVER_ENV });
  return {
    ...createSubgraphClient({ name: 'recommendation', url: server.url }),
    [Symbol.asyncDispose]: async () => {
      await server.drain();
      await events.close();
    },
  };
}

/** A tenant with a checkerboard, and unless left out a trained version that serves. */
export interface World extends TestTenant {
  board: Checkerboard;
  /** The tenant's own id behind a global item id. */
  nameOf: (globalId: string) => string;
  globalIdOf: (externalId: string) => string;
  /** Records views of now. */
  view: (userExternalId: string, ...itemExternalIds: string[]) => Promise<void>;
}

export type TrainedWorld = World & { version: TestVersion };

export async function createWorld(
  { db, histories }: Pick<TestRecommendation, 'db' | 'histories'>,
  size: { userCount?: number; itemCount?: number } = {},
): Promise<World> {
  const tenant = await createTestTenant(db);
  const { tenantId } = tenant;
  const board = await seedCheckerboard(db, tenantId, size);
  const names = new Map([...board.itemIds].map(([name, id]) => [encodeGlobalId('Item', id), name]));
  return {
    ...tenant,
    board,
    nameOf: (globalId) => names.get(globalId) ?? `foreign item ${globalId}`,
    globalIdOf: (externalId) => encodeGlobalId('Item', idOf(board, externalId)),
    view: async (userExternalId, ...itemExternalIds) => {
      const occurredAt = new Date();
      const rows = itemExternalIds.map((itemExternalId) => ({ userExternalId, itemExternalId, occurredAt }));
      await record({ db, histories }, tenantId, rows);
    },
  };
}

export async function createTrainedWorld(
  subgraph: Pick<TestRecommendation, 'db' | 'objects' | 'histories'>,
  size?: Parameters<typeof createWorld>[1],
): Promise<TrainedWorld> {
  const world = await createWorld(subgraph, size);
  const version = await trainTestVersion(subgraph, world.tenantId);
  await promote(subgraph.db, world.tenantId, version.id);
  return { ...world, version };
}

/** Records interactions as the catalog subgraph does. */
export async function record(
  { db, histories }: Pick<TestRecommendation, 'db' | 'histories'>,
  tenantId: TenantId,
  rows: readonly Omit<NewInteraction, 'type'>[],
): Promise<void> {
  const views = rows.map((row) => ({ ...row, type: 'VIEW' as const }));
  const { recorded } = await withTenant(db, tenantId, (tx) => recordInteractions(tx, views));
  const toEvent = ({ occurredAt, recordedAt, ...row }: (typeof recorded)[number]) => {
    return { tenantId, ...row, occurredAt: occurredAt.getTime(), recordedAt: recordedAt.getTime() };
  };
  await histories.add(recorded.map(toEvent));
}

/** Trains a tenant anew, promotes what came out and waits until it answers. */
export async function serveNewVersion(subgraph: TestRecommendation, world: World): Promise<TestVersion> {
  const version = await trainTestVersion(subgraph, world.tenantId);
  await promote(subgraph.db, world.tenantId, version.id);
  await recommend(subgraph, world, {});
  await subgraph.announcePromotion(world.tenantId);
  const id = encodeGlobalId('ModelVersion', version.id);
  await vi.waitFor(async () => expect((await recommend(subgraph, world, {})).modelVersion?.id).toBe(id), 5_000);
  return version;
}

function idOf(board: Checkerboard, externalId: string): ItemId {
  const id = board.itemIds.get(externalId);
  if (id === undefined) throw new Error(`The checkerboard has no item "${externalId}".`);
  return id;
}

export interface Answer {
  recommendationId: string;
  status: string;
  modelVersion: { id: string } | null;
  variant: { arm: string; sharePercent: number } | null;
  attributionToken: string;
  timing: Record<'admissionMs' | 'versionMs' | 'userMs' | 'filterMs' | 'searchMs' | 'rankMs' | 'totalMs', number> & {
    cached: boolean;
  };
  edges: {
    cursor: string;
    rank: number;
    score: number;
    node: { id: string };
    reasons: { item: { id: string }; contribution: number }[];
  }[];
  pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; startCursor: string | null; endCursor: string | null };
}

const FIELDS = `{
  recommendationId status modelVersion { __typename id } variant { arm sharePercent } attributionToken timing { admissionMs versionMs userMs filterMs searchMs rankMs totalMs cached }
  edges { cursor rank score node { __typename id } reasons { item { id } contribution } }
  pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
}`;

export const RECOMMEND = `query ($input: RecommendInput!, $first: Int! = 20, $after: String) {
  answer: recommend(input: $input, first: $first, after: $after) ${FIELDS}
}`;

export const SIMILAR = `query ($itemId: ID!, $first: Int! = 20) {
  answer: similarItems(itemId: $itemId, first: $first) ${FIELDS}
}`;

interface Asked {
  user?: object | null;
  where?: object | null;
  excludeItems?: string[];
  explain?: boolean;
  first?: number;
  after?: string | null;
}

/** The answer of `recommend` to the owner of a world. */
export async function recommend(
  subgraph: SubgraphClient,
  { viewer }: Pick<TestTenant, 'viewer'>,
  { first = 20, after = null, ...input }: Asked,
): Promise<Answer> {
  return (await subgraph.read<{ answer: Answer }>(viewer, RECOMMEND, { input, first, after })).answer;
}

/** The items of an answer by the tenant's own ids. */
export function namesOf(world: World, { edges }: Answer): string[] {
  return edges.map(({ node }) => world.nameOf(node.id));
}

/** The errors of a `recommend` that is refused. */
export async function refused(
  subgraph: SubgraphClient,
  { viewer }: Pick<TestTenant, 'viewer'>,
  { first = 20, after = null, ...input }: Asked,
) {
  return (await subgraph.ask(viewer, RECOMMEND, { input, first, after })).errors;
}
