// What authentication between servers and row-level security cost of throughput: the same reads on the same rows, with a
// signed and verified token per request as the role that policies hold, and without a token as the role that they do not.
// `node scripts/bench/isolation.ts [--seconds N] [--json FILE]` brings its own PostgreSQL. The two take short turns, each first
// as often as the other, so that what else the machine does meets both; the median of their ratios depends on it least, and
// CPU time per request (this process and PostgreSQL's) hardly at all.
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { signUp } from '@kindred/db/accounts';
import { connectDb } from '@kindred/db/client';
import { recordInteractions } from '@kindred/db/interactions';
import { upsertItems } from '@kindred/db/items';
import { withTenant } from '@kindred/db/tenants';
import { newId, type TenantId } from '@kindred/domain/ids';
import { scopesOfRole, type Viewer } from '@kindred/domain/viewer';
import { signInternalToken, verifyInternalToken } from '@kindred/service/internal-token';
import { createReplayGuard } from '@kindred/service/replay-guard';
import { Pool } from 'pg';
import { startBenchDatabase } from './bench-database.ts';
import { readUse } from './serve/process-use.ts';

const TENANTS = 32;
const ITEMS = 200;
const USERS = 50;
const CONNECTIONS = 8;
const ROUNDS = 24;
const WARM_UP_ROUNDS = 2;
const SECRET = randomBytes(36).toString('base64url');
const BODY = JSON.stringify({ query: '{ user(externalId: "user-1") { interactions(first: 50) { item { title } } } }' });
const READ = `SELECT i.id, i.type, i.occurred_at, t.title FROM interactions i
  JOIN users u ON u.tenant_id = i.tenant_id AND u.id = i.user_id JOIN items t ON t.tenant_id = i.tenant_id AND t.id = i.item_id
 WHERE i.tenant_id = $1 AND u.external_id = $2 ORDER BY i.occurred_at DESC, i.id DESC LIMIT 50`;

const { values: options } = parseArgs({
  options: { seconds: { type: 'string', default: '0.5' }, json: { type: 'string' } },
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

// A session's account and a request's bytes are there before it is known who asks.
const accountId = newId('Account');
const bodyBytes = Buffer.from(BODY);

/** What the gateway and a subgraph do for one request beside its work. */
function authenticate(tenantId: TenantId): void {
  const viewer: Viewer = { kind: 'account', accountId, tenantId, role: 'OWNER', scopes: scopesOfRole('OWNER') };
  const token = signInternalToken(SECRET, { audience: 'catalog', viewer, body: BODY });
  const { tokenId } = verifyInternalToken(SECRET, { audience: 'catalog', token, body: bodyBytes });
  if (!replays.admit(tokenId)) throw new Error(`Token ${tokenId.number} of ${tokenId.signer} came twice`);
}

/** One turn of one of the two. */
interface Turn {
  requestsPerSecond: number;
  requests: number;
  /** Of this process and of PostgreSQL. */
  cpuMs: number;
}

/** A turn of requests, in the transaction that `withTenant` makes. */
async function measure(pool: Pool, tenants: readonly TenantId[], isGuarded: boolean): Promise<Turn> {
  const cpuBefore = readCpuMs();
  const startedAt = performance.now();
  const endAt = startedAt + Number(options.seconds) * 1000;
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
  const requests = counts.reduce((sum, count) => sum + count, 0);
  const requestsPerSecond = (requests / (performance.now() - startedAt)) * 1000;
  return { requests, requestsPerSecond, cpuMs: readCpuMs() - cpuBefore };
}

function readCpuMs(): number {
  const { user, system } = process.cpuUsage();
  const server =
    database.child === null ? 0 : (readUse(new Map([['postgres', database.child]])).get('postgres')?.cpuMs ?? 0);
  return (user + system) / 1000 + server;
}

function quantile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) * share)] ?? 0;
}

/** Milliseconds of CPU for a request, over all turns. */
function cpuPerRequest(turns: readonly Turn[]): number {
  const total = (of: (turn: Turn) => number) => turns.reduce((sum, turn) => sum + of(turn), 0);
  return total(({ cpuMs }) => cpuMs) / total(({ requests }) => requests);
}

function summarise(rounds: readonly { guarded: Turn; bare: Turn }[]) {
  const of = (turns: readonly Turn[]) => ({
    requestsPerSecond: quantile(
      turns.map(({ requestsPerSecond }) => requestsPerSecond),
      0.5,
    ),
    cpuMs: cpuPerRequest(turns),
  });
  const ratios = rounds.map(({ guarded, bare }) => guarded.requestsPerSecond / bare.requestsPerSecond);
  return {
    guarded: of(rounds.map(({ guarded }) => guarded)),
    bare: of(rounds.map(({ bare }) => bare)),
    throughputRatio: {
      median: quantile(ratios, 0.5),
      lowerQuartile: quantile(ratios, 0.25),
      upperQuartile: quantile(ratios, 0.75),
    },
  };
}

await using database = await startBenchDatabase();
const tenants = await seed(database.appUrl);
const guarded = new Pool({ connectionString: database.appUrl, max: CONNECTIONS });
const bare = new Pool({ connectionString: database.ownerUrl, max: CONNECTIONS });
// Connections that are idle when the server stops say so.
for (const pool of [guarded, bare]) pool.on('error', () => undefined);
await bare.query('ANALYZE');
const rounds: { guarded: Turn; bare: Turn }[] = [];
for (let round = 0; round < ROUNDS + WARM_UP_ROUNDS; round++) {
  const turn = { guarded: () => measure(guarded, tenants, true), bare: () => measure(bare, tenants, false) };
  const first = round % 2 === 0 ? await turn.guarded() : await turn.bare();
  const second = round % 2 === 0 ? await turn.bare() : await turn.guarded();
  const [ofGuarded, ofBare] = round % 2 === 0 ? [first, second] : [second, first];
  if (round >= WARM_UP_ROUNDS) rounds.push({ guarded: ofGuarded, bare: ofBare });
}
await Promise.all([guarded.end(), bare.end()]);
const figures = summarise(rounds);
const { guarded: held, bare: free, throughputRatio: ratio } = figures;
process.stdout.write('| | with authentication and row-level security | without | ratio |\n|---|---:|---:|---:|\n');
process.stdout.write(
  `| requests | ${held.requestsPerSecond.toFixed(0)}/s | ${free.requestsPerSecond.toFixed(0)}/s | ${ratio.median.toFixed(3)} (${ratio.lowerQuartile.toFixed(3)}-${ratio.upperQuartile.toFixed(3)}) |\n`,
);
process.stdout.write(
  `| CPU per request | ${held.cpuMs.toFixed(3)} ms | ${free.cpuMs.toFixed(3)} ms | ${(held.cpuMs / free.cpuMs).toFixed(3)} |\n`,
);
if (options.json !== undefined)
  await writeFile(options.json, `${JSON.stringify({ rounds: ROUNDS, ...figures }, null, 2)}\n`);
