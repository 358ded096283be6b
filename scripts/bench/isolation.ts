// What authentication between servers and row-level security cost of throughput: the same reads on the same rows, with a
// signed and verified token per request as the role that policies hold, and without a token as the role that they do not.
// `node scripts/bench/isolation.ts [--seconds N] [--json FILE]` brings its own PostgreSQL. Rounds take turns; the median of
// their ratios depends least on what else the machine does.
import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { signUp } from '@kindred/db/accounts';
import { connectDb } from '@kindred/db/client';
import { recordInteractions } from '@kindred/db/interactions';
import { upsertItems } from '@kindred/db/items';
import { migrateDatabase } from '@kindred/db/migrate';
import { withTenant } from '@kindred/db/tenants';
import { newId, type TenantId } from '@kindred/domain/ids';
import { scopesOfRole, type Viewer } from '@kindred/domain/viewer';
import { signInternalToken, verifyInternalToken } from '@kindred/service/internal-token';
import { createReplayGuard } from '@kindred/service/replay-guard';
import { Pool } from 'pg';
import { freePort } from '../src/ports.ts';
import { hiddenDir, startPostgres } from '../src/services/postgres.ts';

const TENANTS = 32;
const ITEMS = 200;
const USERS = 50;
const CONNECTIONS = 8;
const ROUNDS = 9;
const SECRET = randomBytes(36).toString('base64url');
const APP_ROLE_PASSWORD = randomBytes(18).toString('base64url');
const BODY = JSON.stringify({ query: '{ user(externalId: "user-1") { interactions(first: 50) { item { title } } } }' });
const READ = `SELECT i.id, i.type, i.occurred_at, t.title FROM interactions i
  JOIN users u ON u.tenant_id = i.tenant_id AND u.id = i.user_id JOIN items t ON t.tenant_id = i.tenant_id AND t.id = i.item_id
 WHERE i.tenant_id = $1 AND u.external_id = $2 ORDER BY i.occurred_at DESC, i.id DESC LIMIT 50`;

const { values: options } = parseArgs({
  options: { seconds: { type: 'string', default: '1' }, json: { type: 'string' } },
});

async function seed(appUrl: string): Promise<TenantId[]> {
  await using db = await connectDb({ url: appUrl, applicationName: 'bench-isolation' });
  const tenants: TenantId[] = [];
  for (let number = 0; number < TENANTS; number++) {
    const tenantId = newId('Tenant');
    const owner = {
      accountId: newId('Account'),
      email: `owner-${number}@example.com`,
      displayName: 'Owner',
      passwordHash: 'none',
    };
    const tenant = {
      tenantId,
      tenantName: `Tenant ${number}`,
      tenantSlug: `tenant-${number}`,
      demoSource: null,
      simulated: true,
    };
    await signUp(db, { ...tenant, ...owner });
    const itemOf = (at: number) => ({ externalId: `item-${at}`, title: `Item ${at}`, categories: [], properties: {} });
    await withTenant(db, tenantId, async (tx) => {
      await upsertItems(
        tx,
        Array.from({ length: ITEMS }, (_, at) => itemOf(at)),
      );
      const views = Array.from({ length: USERS * 60 }, (_, at) => ({
        userExternalId: `user-${at % USERS}`,
        itemExternalId: `item-${(at * 7) % ITEMS}`,
        type: 'VIEW' as const,
        value: null,
        eventId: null,
        occurredAt: new Date(Date.UTC(2026, 0, 1) + at * 60_000),
      }));
      await recordInteractions(tx, views);
    });
    tenants.push(tenantId);
  }
  return tenants;
}

const replays = createReplayGuard(70_000);

/** What the gateway and a subgraph do for one request beside its work. */
function authenticate(tenantId: TenantId): void {
  const accountId = newId('Account');
  const viewer: Viewer = { kind: 'account', accountId, tenantId, role: 'OWNER', scopes: scopesOfRole('OWNER') };
  const token = signInternalToken(SECRET, { audience: 'catalog', viewer, body: BODY });
  const { tokenId } = verifyInternalToken(SECRET, { audience: 'catalog', token, body: Buffer.from(BODY) });
  if (!replays.admit(tokenId)) throw new Error(`Token ${tokenId.number} of ${tokenId.signer} came twice`);
}

/** Requests per second of one round, in the transaction that `withTenant` makes. */
async function measure(pool: Pool, tenants: readonly TenantId[], isGuarded: boolean): Promise<number> {
  const endAt = performance.now() + Number(options.seconds) * 1000;
  const startedAt = performance.now();
  const counts = await Promise.all(
    Array.from({ length: CONNECTIONS }, async (_, lane) => {
      let count = 0;
      for (; performance.now() < endAt; count++) {
        const tenantId = tenants[(lane + count * CONNECTIONS) % tenants.length];
        if (tenantId === undefined) throw new Error('There is no tenant');
        if (isGuarded) authenticate(tenantId);
        const client = await pool.connect();
        await client.query('BEGIN');
        await client.query({ name: 'scope', text: "SELECT set_config('app.tenant_id', $1, true)", values: [tenantId] });
        const { rowCount } = await client.query({
          name: 'read',
          text: READ,
          values: [tenantId, `user-${count % USERS}`],
        });
        await client.query('COMMIT');
        client.release();
        if (rowCount !== 50) throw new Error(`Wanted 50 rows, got ${rowCount}`);
      }
      return count;
    }),
  );
  return (counts.reduce((sum, count) => sum + count, 0) / (performance.now() - startedAt)) * 1000;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

const dir = await mkdtemp(join(tmpdir(), 'kindred-bench-'));
await chmod(dir, 0o755); // PostgreSQL may run as another user
const folder = join(dir, 'postgres');
const postgres = await startPostgres({
  dir: folder,
  logPath: join(dir, 'postgres.log'),
  port: await freePort(),
  durable: false,
});
try {
  await migrateDatabase(postgres.url, { appRolePassword: APP_ROLE_PASSWORD });
  const app = new URL(postgres.url);
  app.username = 'kindred_app';
  app.password = APP_ROLE_PASSWORD;
  const tenants = await seed(app.href);
  const guarded = new Pool({ connectionString: app.href, max: CONNECTIONS });
  const bare = new Pool({ connectionString: postgres.url, max: CONNECTIONS });
  // Connections that are idle when the server stops say so.
  for (const pool of [guarded, bare]) pool.on('error', () => undefined);
  await bare.query('ANALYZE');
  const rounds: { guarded: number; bare: number }[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const figures = { guarded: await measure(guarded, tenants, true), bare: await measure(bare, tenants, false) };
    // The first round warms up.
    if (round > 0) rounds.push(figures);
  }
  await Promise.all([guarded.end(), bare.end()]);
  const figures = {
    guardedRequestsPerSecond: median(rounds.map((round) => round.guarded)),
    bareRequestsPerSecond: median(rounds.map((round) => round.bare)),
    throughputRatio: median(rounds.map((round) => round.guarded / round.bare)),
  };
  process.stdout.write('| with authentication and row-level security | without | ratio |\n|---:|---:|---:|\n');
  process.stdout.write(
    `| ${figures.guardedRequestsPerSecond.toFixed(0)}/s | ${figures.bareRequestsPerSecond.toFixed(0)}/s | ${figures.throughputRatio.toFixed(3)} |\n`,
  );
  if (options.json !== undefined)
    await writeFile(options.json, `${JSON.stringify({ rounds: ROUNDS, ...figures }, null, 2)}\n`);
} finally {
  await postgres.child?.stop(10_000);
  await rm(dir, { recursive: true, force: true });
  await rm(hiddenDir(folder), { recursive: true, force: true });
}
