import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TenantId } from '@kindred/domain/ids';
import { scopesOfRole, type Viewer } from '@kindred/domain/viewer';
import { connectRedis } from '@kindred/service/redis';
import { createSubgraphClient } from '@kindred/testing/subgraph-client';
import { withTenant } from '@kindred/db/tenants';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Servers, startServers } from '../isolation/servers.ts';
import { type MoreProcesses, startMoreProcesses } from './processes.ts';
import { openShop, readRecommended, RECOMMEND, type RecommendData, record, type Shop } from './shop.ts';

/** From the question to answers without the user, on every replica. */
const UNANSWERED_WITHIN_MS = 5_000;
/** Until files and memory are rewritten too: under a second by itself, more where a machine runs everything at once. */
const GONE_WITHIN_MS = 20_000;
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

let servers: Servers;
let more: MoreProcesses;
beforeAll(async () => {
  servers = await startServers();
  more = await startMoreProcesses(servers);
}, 500_000);
afterAll(async () => {
  await more[Symbol.asyncDispose]();
  await servers[Symbol.asyncDispose]();
});

interface ErasureData {
  erasure: {
    status: string;
    requestedAt: string;
    goneAt: string | null;
    receipt: { store: string; scope: string; rowCount: number; outOfWeightsSince: number | null }[];
  };
}

const READ_ERASURE = `query ($id: ID!) {
  erasure(id: $id) { status requestedAt goneAt receipt { store scope rowCount outOfWeightsSince } }
}`;

/** What each replica answers for a user, asked as the gateway asks it. */
function askReplicas({ tenantId }: Shop) {
  const scopes = scopesOfRole('OWNER');
  const viewer: Viewer = { kind: 'account', role: 'OWNER', scopes, tenantId, accountId: tenantId as never };
  const replicas = [servers.urls.recommendation, more.replicaUrl].map((url) =>
    createSubgraphClient({ name: 'recommendation', url }),
  );
  return async (user: string) =>
    Promise.all(
      replicas.map(async (replica) => readRecommended(await replica.read<RecommendData>(viewer, RECOMMEND, { user }))),
    );
}

/** Where a text is among the rows of a tenant. */
async function findInTables(tenantId: TenantId, text: string): Promise<string[]> {
  return withTenant(servers.database.db, tenantId, async (tx) => {
    const tables = await tx.client.$queryRaw<{ name: string }[]>`
      SELECT table_name AS name FROM information_schema.columns
       WHERE table_schema = 'public' AND column_name = 'tenant_id' AND table_name NOT LIKE 'interactions_p%'`;
    const found: string[] = [];
    for (const { name } of tables) {
      const rows = await tx.client.$queryRawUnsafe<unknown[]>(
        `SELECT FROM "${name}" t WHERE position($1 in t::text) > 0`,
        text,
      );
      if (rows.length > 0) found.push(name);
    }
    return found;
  });
}

/** The keys of Redis that hold a text in their name or value, those of another tenant left out. */
async function findInRedis(text: string, { except }: { except: TenantId }): Promise<string[]> {
  const redis = connectRedis(servers.environment.REDIS_URL ?? '');
  try {
    const found: string[] = [];
    for (const key of await redis.keys('*')) {
      const type = await redis.type(key);
      const values = type === 'list' ? await redis.lrange(key, 0, -1) : type === 'string' ? [await redis.get(key)] : [];
      if (`${key} ${values.join(' ')}`.includes(text) && !key.includes(except)) found.push(key);
    }
    return found;
  } finally {
    redis.disconnect();
  }
}

/** The files of a tenant that hold one of these byte strings. */
async function findInFiles(tenantId: TenantId, wanted: readonly Buffer[]): Promise<string[]> {
  const folder = join(fileURLToPath(servers.environment.OBJECT_STORE_URL ?? ''), 'tenants', tenantId);
  const found: string[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile()) continue;
    const bytes = await readFile(path);
    if (wanted.some((needle) => bytes.includes(needle))) found.push(path);
  }
  return found;
}

test('an erased user is gone from every answer within five seconds and from every store, and comes back as somebody new', async () => {
  const canary = `canary-${randomBytes(6).toString('hex')}`;
  const [ours, theirs] = await Promise.all(
    ['ours', 'theirs'].map((name) => openShop(servers.gatewayUrl, `${name}${randomBytes(4).toString('hex')}`, canary)),
  );
  if (ours === undefined || theirs === undefined) throw new Error('Wanted two shops.');
  const replicas = askReplicas(ours);
  await expect
    .poll(async () => (await replicas(canary)).map(({ status }) => status), { timeout: 20_000 })
    .toEqual(['PERSONALIZED', 'PERSONALIZED']);
  const before = await theirs.recommend(canary);
  const userId = await ours.findUserId(canary);
  const packed = Buffer.from((userId ?? '').replaceAll('-', ''), 'hex');
  expect((await findInFiles(ours.tenantId, [packed])).length).toBeGreaterThan(0);

  const { exportUserData } = await ours.run<{ exportUserData: { export: { id: string } } }>(
    `mutation ($user: String!) { exportUserData(input: { externalId: $user }) { export { id } } }`,
    { user: canary },
  );
  const readPath = async () =>
    (
      await ours.run<{ userExport: { downloadPath: string | null } }>(
        `query ($id: ID!) { userExport(id: $id) { downloadPath } }`,
        { id: exportUserData.export.id },
      )
    ).userExport.downloadPath;
  await expect.poll(readPath, { timeout: 60_000 }).not.toBeNull();
  const archiveUrl = `${servers.gatewayUrl}${await readPath()}`;
  const archive = await fetch(archiveUrl);
  expect([archive.status, archive.headers.get('content-type')]).toEqual([200, 'application/gzip']);
  expect((await archive.arrayBuffer()).byteLength).toBeGreaterThan(500);

  const askedAt = performance.now();
  const { eraseUser } = await ours.run<{ eraseUser: { erasure: { id: string } } }>(
    `mutation ($user: String!) { eraseUser(input: { externalId: $user, retrain: true }) { erasure { id } } }`,
    { user: canary },
  );
  const { id } = eraseUser.erasure;
  const acknowledgedMs = performance.now() - askedAt;
  const read = async () => (await ours.run<ErasureData>(READ_ERASURE, { id })).erasure;
  await expect
    .poll(async () => (await replicas(canary)).map(({ status }) => status), { timeout: 60_000, interval: 150 })
    .toEqual(['COLD_START', 'COLD_START']);
  const unansweredMs = performance.now() - askedAt;
  await expect.poll(async () => (await read()).goneAt, { timeout: 60_000, interval: 150 }).not.toBeNull();
  const goneMs = performance.now() - askedAt;
  const line = `eraseUser: acknowledged after ${acknowledgedMs.toFixed(0)} ms, unknown to both replicas after ${unansweredMs.toFixed(0)} ms, out of tables, Redis, files and memory after ${goneMs.toFixed(0)} ms`;
  process.stdout.write(`${line}\n`);
  expect(unansweredMs).toBeLessThan(UNANSWERED_WITHIN_MS);
  expect(goneMs).toBeLessThan(GONE_WITHIN_MS);

  await expect.poll(async () => (await read()).status, { timeout: 120_000 }).toBe('SEALED');
  expect(await findInTables(ours.tenantId, canary)).toEqual([]);
  expect(await findInRedis(canary, { except: theirs.tenantId })).toEqual([]);
  expect(await findInFiles(ours.tenantId, [packed, Buffer.from(canary), Buffer.from(userId ?? 'none')])).toEqual([]);
  expect((await fetch(archiveUrl)).status).toBe(404);
  expect(await theirs.recommend(canary)).toEqual(before);

  const { receipt } = await read();
  const lineCount = (store: string) => receipt.filter((entry) => entry.store === store).length;
  expect(lineCount('SERVING_MEMORY')).toBe(2);
  expect(lineCount('EXPORT_FILES')).toBe(1);
  const weights = async () =>
    (await read()).receipt.filter(({ store }) => store === 'MODEL_VERSION').map((entry) => entry.outOfWeightsSince);
  await expect.poll(weights, { timeout: 200_000, interval: 500 }).not.toContain(null);

  const { verifyErasure } = await ours.run<{ verifyErasure: { verification: object } }>(
    `mutation ($id: ID!) {
      verifyErasure(input: { erasureId: $id }) { verification { isErased receiptProblem checks { store scope heldCount } } }
    }`,
    { id },
  );
  expect(verifyErasure.verification).toMatchObject({ isErased: true, receiptProblem: null });
  const printed = execFileSync(process.execPath, ['prisma/src/tools/erasure-cli.ts', 'verify'], {
    cwd: ROOT,
    env: { MIGRATION_DATABASE_URL: servers.database.ownerUrl },
    encoding: 'utf8',
  });
  process.stdout.write(printed);
  expect(printed).toMatch(/SEALED: whole; \d+ lines, 0 rows of the user\n1 erasures verified/);

  await record(ours.run, [{ userExternalId: canary, itemExternalId: 'item-1', type: 'VIEW' }]);
  expect(await ours.findUserId(canary)).not.toBe(userId);
  const { user } = await ours.run<{ user: { interactions: { edges: unknown[] } } }>(
    `query ($id: String!) { user(externalId: $id) { interactions(first: 10) { edges { cursor } } } }`,
    { id: canary },
  );
  expect(user.interactions.edges).toHaveLength(1);
}, 600_000);
