// What authentication between servers and row-level security cost of throughput: the same reads on the same rows, each
// sealed by the gateway and admitted by a subgraph as the role that policies hold, and without a seal as the role that they
// do not. A request is nothing but its read here; what else an operation is made of would hide what these two cost.
// `node scripts/bench/isolation.ts [--seconds N] [--json FILE]` brings its own PostgreSQL. The two take short turns, each first
// as often as the other, so that what else the machine does meets both; the median of their ratios depends on it least, and
// CPU time per request (this process and PostgreSQL's) hardly at all.
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { signUp } from '@kindred/db/accounts';
import { connectDb } from '@kindred/db/client';
import { readItemsOfUsers, recordInteractions } from '@kindred/db/interactions';
import { upsertItems } from '@kindred/db/items';
import { withTenant } from '@kindred/db/tenants';
import { newId, type TenantId } from '@kindred/domain/ids';
import { scopesOfRole, type Viewer } from '@kindred/domain/viewer';
import { admitCalls } from '@kindred/service/admit-calls';
import { createCallSeal, SEAL_CHARS } from '@kindred/service/call-seal';
import { signInternalToken } from '@kindred/service/internal-token';
import { CHANNEL_REQUEST, readCall, writeCall } from '@kindred/service/operation-channel';
import { traceparent } from '@kindred/service/trace';
import { median, quantile } from '@kindred/testing/quantile';
import { Pool } from 'pg';
import { startBenchDatabase } from './bench-database.ts';
import { readUse } from './serve/process-use.ts';

const TENANTS = 32;
const ITEMS = 200;
const USERS = 50;
const HISTORY = 50;
const CONNECTIONS = 8;
const ROUNDS = 24;
const WARM_UP_ROUNDS = 2;
const SECRET = randomBytes(36).toString('base64url');
const BODY = JSON.stringify({ query: '{ user(externalId: "user-1") { interactions(first: 50) { item { title } } } }' });
const TRACE = traceparent('0'.repeat(32));
const NO_SEAL = '-'.repeat(SEAL_CHARS);

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
        itemExternalId: `item-${(at * 7 + Math.floor(at / USERS)) % ITEMS}`,
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

const { seal, admit } = openChannel();

function openChannel() {
  const viewer: Viewer = { kind: 'system', scopes: [] };
  const token = signInternalToken(SECRET, { audience: 'catalog', viewer, body: CHANNEL_REQUEST });
  return { seal: createCallSeal(SECRET, token), admit: admitCalls(SECRET, token) };
}

/** A session's viewer is there before its request is. */
const viewers = new Map<TenantId, Viewer>();

function viewerOf(tenantId: TenantId): Viewer {
  let viewer = viewers.get(tenantId);
  if (viewer === undefined) {
    viewer = { kind: 'account', accountId: newId('Account'), tenantId, role: 'OWNER', scopes: scopesOfRole('OWNER') };
    viewers.set(tenantId, viewer);
  }
  return viewer;
}

let lastId = 0;

/** What the gateway says of one request, and what its subgraph hears: with a seal that is looked at, or without one. */
function call(tenantId: TenantId, isGuarded: boolean): void {
  const said = { id: ++lastId, issuedAt: Math.floor(Date.now() / 1000), traceparent: TRACE, timeout: '30000' };
  const message = writeCall(
    { ...said, hasLines: false, clientAddress: '127.0.0.1' },
    { viewer: viewerOf(tenantId), body: BODY },
    isGuarded ? seal.sign : () => NO_SEAL,
  );
  const heard = readCall(Buffer.from(message));
  if (heard?.kind !== 'call') throw new Error(`A call was not understood: ${message}`);
  if (isGuarded) admit(heard);
}

/** One turn of one of the two. */
interface Turn {
  requestsPerSecond: number;
  requests: number;
  /** Of this process and of PostgreSQL. */
  cpuMs: number;
}

/** A turn of requests, each read as answers read what they wait for. */
async function measure(pipelines: Pool, tenants: readonly TenantId[], isGuarded: boolean): Promise<Turn> {
  const cpuBefore = readCpuMs();
  const startedAt = performance.now();
  const endAt = startedAt + Number(options.seconds) * 1000;
  const counts = await Promise.all(
    Array.from({ length: CONNECTIONS }, async (_, lane) => {
      let count = 0;
      for (; performance.now() < endAt; count++) {
        const tenantId = tenants[(lane + count * CONNECTIONS) % tenants.length];
        if (tenantId === undefined) throw new Error('There is no tenant');
        call(tenantId, isGuarded);
        const asked = { externalIds: [`user-${count % USERS}`], limit: HISTORY };
        const [history] = await readItemsOfUsers({ pipelines }, tenantId, asked);
        if (history?.items.length !== HISTORY) throw new Error(`Wanted ${HISTORY} items, got ${history?.items.length}`);
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

/** Milliseconds of CPU for a request, over all turns. */
function cpuPerRequest(turns: readonly Turn[]): number {
  const total = (of: (turn: Turn) => number) => turns.reduce((sum, turn) => sum + of(turn), 0);
  return total(({ cpuMs }) => cpuMs) / total(({ requests }) => requests);
}

function summarise(rounds: readonly { guarded: Turn; bare: Turn }[]) {
  const of = (turns: readonly Turn[]) => ({
    requestsPerSecond: median(turns.map(({ requestsPerSecond }) => requestsPerSecond)),
    cpuMs: cpuPerRequest(turns),
  });
  const ratios = rounds
    .map(({ guarded, bare }) => guarded.requestsPerSecond / bare.requestsPerSecond)
    .toSorted((a, b) => a - b);
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
const guarded = new Pool({ connectionString: database.appUrl, max: CONNECTIONS, pipeline: true });
const bare = new Pool({ connectionString: database.ownerUrl, max: CONNECTIONS, pipeline: true });
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
