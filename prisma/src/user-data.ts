import { createHash } from 'node:crypto';
import type { UserId } from '@kindred/domain/ids';
import type { TenantTx } from './tenants.ts';

/** The tables with rows of end users, and the column that names the user: dependent tables first. */
export const USER_TABLES = {
  interactions: 'user_id',
  user_exports: 'user_id',
  users: 'id',
} as const;

export type UserTable = keyof typeof USER_TABLES;

/** Every other table, and why nothing of an end user is in it. A new table belongs into one of the two lists. */
export const TABLES_WITHOUT_USERS = {
  tenants: 'the customer itself',
  accounts: 'people of the dashboard',
  memberships: 'people of the dashboard',
  sessions: 'people of the dashboard',
  refresh_tokens: 'people of the dashboard',
  invitations: 'people of the dashboard',
  operators: 'people of the platform',
  audit_events: 'names end users by keyed hash alone',
  audit_anchors: 'a number, a hash and a time',
  webhooks: 'addresses of the tenant',
  webhook_deliveries: 'what became of a delivery, not its content',
  api_keys: 'credentials of the tenant',
  idempotency_records: 'a hash of a request that names end users by keyed hash, and its answer of ids',
  items: 'what can be recommended',
  models: 'recipes',
  training_runs: 'settings and figures over all users',
  training_events: 'figures over all users',
  model_versions: 'figures over all users; the vectors are in its files',
  outbox: 'ids of versions',
  erasures: 'the proof: a keyed hash, and an id that names nobody any more; the own id only until it is sealed',
  erasure_receipts: 'the proof: counts and hashes',
  retention_policies: 'settings of the tenant',
  webhook_events: 'what became of trainings, versions, keys and people of the dashboard',
  published_documents: 'operations of the tenant',
  tenant_counts: 'numbers of rows',
  usage_days: 'sums over all users',
  usage_ledger: 'sums over all users',
  canaries: 'settings and figures over all users',
  canary_clicks: 'ids of answers, which say nothing of who got them',
  jobs: 'what was asked and counts; whom a batch is about goes with any erased user (fence-jobs.ts)',
  job_events: 'counts, in sentences',
  import_errors: 'lines and lengths; a quoted id is one that no user can have',
  tuning_trials: 'settings and figures over all users',
} as const;

/** One page of a user's rows holds this many in memory. */
const PAGE_SIZE = 5_000;
const FIRST_ID = '00000000-0000-0000-0000-000000000000';

/** A user's rows of a table as JSON texts, by ascending id from after `afterId`: at most 5,000. */
export async function listUserRows(
  tx: TenantTx,
  table: UserTable,
  { userId, afterId = FIRST_ID }: { userId: UserId; afterId?: string | undefined },
): Promise<{ id: string; json: string }[]> {
  return tx.client.$queryRawUnsafe<{ id: string; json: string }[]>(
    `SELECT t.id::text AS id, to_jsonb(t)::text AS json FROM ${table} t
      WHERE t.tenant_id = $1::uuid AND t.${USER_TABLES[table]} = $2::uuid AND t.id > $3::uuid
      ORDER BY t.id LIMIT ${PAGE_SIZE}`,
    tx.tenantId,
    userId,
    afterId,
  );
}

/** How many rows each table has of a user. */
export async function countUserRows(tx: TenantTx, userId: UserId): Promise<{ table: UserTable; count: number }[]> {
  const counts: { table: UserTable; count: number }[] = [];
  for (const table of Object.keys(USER_TABLES) as UserTable[]) {
    const [found] = await tx.client.$queryRawUnsafe<[{ count: number }]>(
      `SELECT count(*)::int AS count FROM ${table} WHERE tenant_id = $1::uuid AND ${USER_TABLES[table]} = $2::uuid`,
      tx.tenantId,
      userId,
    );
    counts.push({ table, count: found.count });
  }
  return counts;
}

/** What was deleted of a table; `evidence` is the sha256 of the ids of its rows, in order. */
export interface DeletedRows {
  table: UserTable;
  rowCount: number;
  evidence: Uint8Array<ArrayBuffer>;
}

/** Deletes every row of a user. */
export async function deleteUserRows(tx: TenantTx, userId: UserId): Promise<DeletedRows[]> {
  const deleted: DeletedRows[] = [];
  for (const table of Object.keys(USER_TABLES) as UserTable[]) {
    const [gone] = await tx.client.$queryRawUnsafe<[{ count: number; ids: string }]>(
      `WITH gone AS (
         DELETE FROM ${table} WHERE tenant_id = $1::uuid AND ${USER_TABLES[table]} = $2::uuid RETURNING id
       )
       SELECT count(*)::int AS count, coalesce(string_agg(id::text, ',' ORDER BY id), '') AS ids FROM gone`,
      tx.tenantId,
      userId,
    );
    const evidence = new Uint8Array(createHash('sha256').update(gone.ids).digest());
    deleted.push({ table, rowCount: gone.count, evidence });
  }
  return deleted;
}
