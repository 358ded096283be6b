import { setTimeout } from 'node:timers/promises';
import { PrismaPg } from '@prisma/adapter-pg';
import { Pool, type PoolConfig } from 'pg';
import { PrismaClient } from './generated/client.ts';

/** How long a transaction may wait for a free connection, in milliseconds. */
export const CONNECTION_WAIT_MS = 10_000;

const PING_TIMEOUT_MS = 2_000;

const MOST_PIPELINES = 4;

/** The application's connections. Queries go through `withTenant`; outside it row-level security shows nothing. */
export interface Db extends AsyncDisposable {
  readonly prisma: PrismaClient;
  readonly pool: Pool;
  /** Connections that send queries without waiting for the answers before; opened when `readAsTenant` needs them. */
  readonly pipelines: Pool;
  /** Resolves when the database answers within two seconds. */
  ping(): Promise<void>;
}

/** The connection's role could step around row-level security. */
export class UnsafeDatabaseRoleError extends Error {
  override readonly name = 'UnsafeDatabaseRoleError';
}

/**
 * Opens a pool; the caller disposes of it.
 * @throws UnsafeDatabaseRoleError when the role is a superuser, has BYPASSRLS or owns a table.
 */
export async function connectDb(options: { url: string; poolSize?: number; applicationName: string }): Promise<Db> {
  const pool = openPool(options, { max: options.poolSize ?? 10 });
  const pipelines = openPool(options, { max: MOST_PIPELINES, pipeline: true });
  try {
    await refuseUnsafeRole(pool);
  } catch (error) {
    await pool.end();
    throw error;
  }
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool) });
  return {
    prisma,
    pool,
    pipelines,
    ping: () => ping(pool),
    [Symbol.asyncDispose]: async () => {
      await prisma.$disconnect();
      await Promise.all([pool.end(), pipelines.end()]);
    },
  };
}

function openPool({ url, applicationName }: { url: string; applicationName: string }, kind: PoolConfig): Pool {
  const pool = new Pool({
    connectionString: url,
    application_name: applicationName,
    connectionTimeoutMillis: CONNECTION_WAIT_MS,
    keepAlive: true,
    ...kind,
  });
  // An idle connection that the server closes is discarded by the pool; without a listener it would end the process.
  pool.on('error', () => undefined);
  return pool;
}

async function ping(pool: Pool): Promise<void> {
  const answered = new AbortController();
  const tooLate = setTimeout(PING_TIMEOUT_MS, undefined, { signal: answered.signal }).then(() => {
    throw new Error(`The database did not answer within ${PING_TIMEOUT_MS} ms.`);
  });
  try {
    await Promise.race([pool.query('SELECT 1'), tooLate]);
  } finally {
    answered.abort();
  }
}

async function refuseUnsafeRole(pool: Pool): Promise<void> {
  const { rows } = await pool.query<{ name: string; superuser: boolean; bypass: boolean; owner: boolean }>(`
    SELECT rolname AS name, rolsuper AS superuser, rolbypassrls AS bypass,
           EXISTS (SELECT FROM pg_class c
                    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
                      AND pg_has_role(current_user, c.relowner, 'USAGE')) AS owner
      FROM pg_roles WHERE rolname = current_user`);
  for (const role of rows) {
    const reasons = [role.superuser && 'is a superuser', role.bypass && 'has BYPASSRLS', role.owner && 'owns tables'];
    const reason = reasons.filter((text) => text !== false).join(', ');
    if (reason !== '') {
      throw new UnsafeDatabaseRoleError(
        `The database role "${role.name}" ${reason}, so row-level security would not hold it: sign in as kindred_app.`,
      );
    }
  }
}
