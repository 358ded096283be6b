// Whether 64 tenants that share one pool of connections see a foreign byte, when one request of ten dies in flight.
// `node scripts/bench/pool.ts [--requests N] [--connections N]`: N requests of each tenant (20,000) on a PostgreSQL of its own.
// `npm run bench:pool` runs it with NODE_ENV=production, as servers run: otherwise Prisma keeps a stack for every query.
// How requests end and what each one checks is in `prisma/src/test-shared-pool.ts`, as for the test of the same sentence.
import { parseArgs } from 'node:util';
import { signUp } from '@kindred/db/accounts';
import { connectDb, type Db } from '@kindred/db/client';
import { newPoolReport, type PoolReport, pressSharedPool } from '@kindred/db/test-shared-pool';
import { newId, type TenantId } from '@kindred/domain/ids';
import { startBenchDatabase } from './bench-database.ts';

const TENANTS = 64;
const TOLD_EVERY_MS = 30_000;

const { values: options } = parseArgs({
  options: { requests: { type: 'string', default: '20000' }, connections: { type: 'string', default: '10' } },
});

async function signUpTenant(db: Db, number: number): Promise<TenantId> {
  const tenantId = newId('Tenant');
  await signUp(db, {
    tenantId,
    tenantName: `Tenant ${number}`,
    tenantSlug: `tenant-${number}`,
    demoSource: null,
    simulated: true,
    accountId: newId('Account'),
    email: `owner-${number}@example.com`,
    displayName: 'Owner',
    passwordHash: 'none',
  });
  return tenantId;
}

function describe({ requests, endings, foreignBytes }: PoolReport, startedAtMs: number): string {
  const seconds = (performance.now() - startedAtMs) / 1000;
  const { done, thrown, cancelled, killed } = endings;
  const ways = `${done} committed, ${thrown} thrown, ${cancelled} cancelled, ${killed} with their connection killed`;
  const rate = (requests / seconds).toFixed(0);
  return `${requests} requests in ${seconds.toFixed(0)} s (${rate}/s): ${ways}; foreign bytes: ${foreignBytes}\n`;
}

await using database = await startBenchDatabase();
await using db = await connectDb({
  url: database.appUrl,
  poolSize: Number(options.connections),
  applicationName: 'bench-pool',
});
const tenantIds: TenantId[] = [];
for (let number = 0; number < TENANTS; number++) tenantIds.push(await signUpTenant(db, number));
const report = newPoolReport();
const startedAtMs = performance.now();
const teller = setInterval(() => process.stderr.write(describe(report, startedAtMs)), TOLD_EVERY_MS);
try {
  await pressSharedPool(db, tenantIds, { requestsPerTenant: Number(options.requests), report });
} finally {
  clearInterval(teller);
  process.stdout.write(describe(report, startedAtMs));
}
if (report.foreignBytes > 0) process.exitCode = 1;
