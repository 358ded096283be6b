import { AppError } from '@kindred/domain/app-error';
import { type ItemId, newId, type TenantId, type UserId } from '@kindred/domain/ids';
import { v7 } from 'uuid';
import type { Db } from './client.ts';
import { Prisma } from './generated/client.ts';
import { readAsTenant } from './read-as-tenant.ts';
import type { TenantTx } from './tenants.ts';

export type InteractionType = 'VIEW' | 'CLICK' | 'CART' | 'PURCHASE' | 'RATING';

export interface InteractionRow {
  tenantId: TenantId;
  id: string;
  userId: UserId;
  itemId: ItemId;
  type: InteractionType;
  value: number | null;
  eventId: string | null;
  occurredAt: Date;
  recordedAt: Date;
}

export interface NewInteraction {
  eventId?: string | null | undefined;
  userExternalId: string;
  itemExternalId: string;
  type: InteractionType;
  value?: number | null | undefined;
  occurredAt: Date;
}

/** A row as it was recorded. */
export interface RecordedInteraction {
  userExternalId: string;
  userId: UserId;
  itemId: ItemId;
  occurredAt: Date;
  recordedAt: Date;
}

export interface RecordedInteractions {
  recordedCount: number;
  recorded: RecordedInteraction[];
  /** Rows whose `eventId` was known already, or stood earlier in the same batch. */
  duplicateCount: number;
  /** The positions in `rows` whose item the tenant does not have. */
  unknownItemPositions: number[];
}

/** Records the rows whose item is known, creating their users; the same `eventId` counts once, over all batches. */
export async function recordInteractions(tx: TenantTx, rows: readonly NewInteraction[]): Promise<RecordedInteractions> {
  const { known, unknownItemPositions } = await prepare(tx, rows);
  const recorded = await insertInteractions(tx, known);
  return {
    recordedCount: recorded.length,
    recorded,
    duplicateCount: known.length - recorded.length,
    unknownItemPositions,
  };
}

/** The same without the rows, which take longer to read than to count; with the users of those whose item is known. */
export async function importInteractions(
  tx: TenantTx,
  rows: readonly NewInteraction[],
): Promise<Omit<RecordedInteractions, 'recorded'> & { userExternalIds: ReadonlySet<string> }> {
  const { known, users, unknownItemPositions } = await prepare(tx, rows);
  const [answer] = await tx.client.$queryRaw<{ count: number }[]>`
    WITH inserted AS (${insertion(tx, known)} RETURNING 1) SELECT count(*)::int AS count FROM inserted`;
  const recordedCount = answer?.count ?? 0;
  return {
    recordedCount,
    duplicateCount: known.length - recordedCount,
    unknownItemPositions,
    userExternalIds: users,
  };
}

/** Finds the rows' items and creates their users. */
async function prepare(tx: TenantTx, rows: readonly NewInteraction[]) {
  const itemIds = await findItemIds(tx, new Set(rows.map((row) => row.itemExternalId)));
  const unknownItemPositions: number[] = [];
  const known: KnownInteraction[] = [];
  const users = new Set<string>();
  for (const [position, row] of rows.entries()) {
    const itemId = itemIds.get(row.itemExternalId);
    if (itemId === undefined) {
      unknownItemPositions.push(position);
      continue;
    }
    users.add(row.userExternalId);
    known.push({
      id: v7(),
      user: row.userExternalId,
      item_id: itemId,
      type: row.type,
      value: row.value,
      event_id: row.eventId,
      occurred_at: row.occurredAt,
    });
  }
  await createUnknownUsers(tx, users);
  return { known, users, unknownItemPositions };
}

interface KnownInteraction {
  id: string;
  user: string;
  item_id: ItemId;
  type: InteractionType;
  value: number | null | undefined;
  event_id: string | null | undefined;
  occurred_at: Date;
}

async function findItemIds(tx: TenantTx, externalIds: ReadonlySet<string>): Promise<Map<string, ItemId>> {
  const items = await tx.client.$queryRaw<{ id: ItemId; externalId: string }[]>`
    SELECT id, external_id AS "externalId" FROM items
     WHERE tenant_id = ${tx.tenantId}::uuid AND external_id = ANY (${[...externalIds]}::text[])`;
  return new Map(items.map((item) => [item.externalId, item.id]));
}

/**
 * Inserts in order, so that two concurrent batches wait for each other in the same order. Users that are there are held:
 * one who is being erased is waited for and made anew, so that nothing recorded is lost.
 */
async function createUnknownUsers(tx: TenantTx, externalIds: ReadonlySet<string>): Promise<void> {
  const json = JSON.stringify([...externalIds].map((externalId) => ({ id: newId('User'), external_id: externalId })));
  await tx.client.$executeRaw`
    WITH wanted AS (
      SELECT r.id, r.external_id FROM jsonb_to_recordset(${json}::jsonb) AS r (id uuid, external_id text)
    ), held AS (
      SELECT u.external_id FROM users u
       WHERE u.tenant_id = ${tx.tenantId}::uuid AND u.external_id IN (SELECT external_id FROM wanted)
       ORDER BY u.external_id FOR KEY SHARE
    )
    INSERT INTO users (tenant_id, id, external_id)
    SELECT ${tx.tenantId}::uuid, r.id, r.external_id FROM wanted r
     WHERE r.external_id NOT IN (SELECT external_id FROM held)
     ORDER BY r.external_id
    ON CONFLICT (tenant_id, external_id) DO NOTHING`;
}

function insertion(tx: TenantTx, rows: readonly KnownInteraction[]): Prisma.Sql {
  return Prisma.sql`
    INSERT INTO interactions (tenant_id, id, user_id, item_id, type, value, event_id, occurred_at)
    SELECT u.tenant_id, r.id, u.id, r.item_id, r.type, r.value, r.event_id, r.occurred_at
      FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
        AS r (id uuid, "user" text, item_id uuid, type interaction_type, value double precision, event_id text,
              occurred_at timestamptz)
      JOIN users u ON u.tenant_id = ${tx.tenantId}::uuid AND u.external_id = r."user"
     ORDER BY r.event_id, r.id
    ON CONFLICT (tenant_id, event_id) DO NOTHING`;
}

async function insertInteractions(tx: TenantTx, rows: readonly KnownInteraction[]): Promise<RecordedInteraction[]> {
  // One text for all rows: to read a row costs more than to write it.
  const [answer] = await tx.client.$queryRaw<{ rows: string | null }[]>`
    WITH inserted AS (${insertion(tx, rows)} RETURNING id, user_id, recorded_at)
    SELECT string_agg(concat_ws(':', id, user_id, (extract(epoch FROM recorded_at) * 1000)::bigint), ',') AS rows
      FROM inserted`;
  const insertedRows = answer?.rows ? answer.rows.split(',').map((row) => row.split(':')) : [];
  const insertedById = new Map(insertedRows.map(([id, userId, recordedAt]) => [id, { userId, recordedAt }]));
  return rows.flatMap(({ id, user, item_id: itemId, occurred_at: occurredAt }) => {
    const row = insertedById.get(id);
    if (row === undefined) return [];
    const recordedAt = new Date(Number(row.recordedAt));
    return [{ userExternalId: user, userId: row.userId as UserId, itemId, occurredAt, recordedAt }];
  });
}

/** The cursor position of an interaction in `listInteractionsOfUsers`. */
export function interactionPosition(interaction: Pick<InteractionRow, 'occurredAt' | 'id'>): string {
  return `${interaction.occurredAt.getTime()}:${interaction.id}`;
}

/** A page of one user's interactions: at most `first`, from after a position given by `interactionPosition`. */
export interface InteractionPage {
  userId: UserId;
  first: number;
  afterCursorPosition?: string | null | undefined;
}

/**
 * The interactions of each page, newest first, in the order of `pages`; in one statement.
 * @throws AppError BAD_USER_INPUT when a position is not one.
 */
export async function listInteractionsOfUsers(
  tx: TenantTx,
  pages: readonly InteractionPage[],
): Promise<InteractionRow[][]> {
  const wanted = pages.map(({ userId, first, afterCursorPosition }, page) => {
    const after = afterCursorPosition ? parsePosition(afterCursorPosition) : BEFORE_ALL;
    return { page, user_id: userId, first, after_time: after.occurredAt, after_id: after.id };
  });
  const rows = await tx.client.$queryRaw<(InteractionRow & { page: number })[]>`
    SELECT w.page, i.*
      FROM jsonb_to_recordset(${JSON.stringify(wanted)}::jsonb)
        AS w (page int, user_id uuid, first int, after_time timestamptz, after_id uuid)
     CROSS JOIN LATERAL (
       SELECT tenant_id AS "tenantId", id, user_id AS "userId", item_id AS "itemId", type, value, event_id AS "eventId",
              occurred_at AS "occurredAt", recorded_at AS "recordedAt"
         FROM interactions
        WHERE tenant_id = ${tx.tenantId}::uuid AND user_id = w.user_id
          AND (occurred_at, id) < (w.after_time, w.after_id)
        ORDER BY occurred_at DESC, id DESC LIMIT w.first
     ) i
     ORDER BY w.page, i."occurredAt" DESC, i.id DESC`;
  const answers = pages.map((): InteractionRow[] => []);
  for (const { page, ...row } of rows) answers[page]?.push(row);
  return answers;
}

/** Where the first page starts: newer than every interaction. */
const BEFORE_ALL = { occurredAt: 'infinity', id: 'ffffffff-ffff-ffff-ffff-ffffffffffff' };

function parsePosition(position: string): { occurredAt: string; id: string } {
  const [, milliseconds, id] = /^(-?\d{1,15}):([0-9a-f-]{36})$/.exec(position) ?? [];
  if (milliseconds === undefined || id === undefined) {
    throw new AppError('BAD_USER_INPUT', `"${position}" is not the position of an interaction.`);
  }
  return { occurredAt: new Date(Number(milliseconds)).toISOString(), id };
}

/** An item that a user touched, with the user's last interaction with it. */
export interface UserItem {
  itemId: ItemId;
  type: InteractionType;
  occurredAt: Date;
  recordedAt: Date;
}

/** The `limit` items that a user touched last, newest first; by what had been recorded at `recordedUntil`, where given. */
export async function listUserItems(
  tx: TenantTx,
  userId: UserId,
  { limit, recordedUntil }: { limit: number; recordedUntil?: Date | null | undefined },
): Promise<UserItem[]> {
  return tx.client.$queryRaw<UserItem[]>`
    SELECT item_id AS "itemId", type, occurred_at AS "occurredAt", recorded_at AS "recordedAt" FROM (
      SELECT DISTINCT ON (item_id) item_id, type, occurred_at, recorded_at, id FROM interactions
       WHERE tenant_id = ${tx.tenantId}::uuid AND user_id = ${userId}::uuid
         AND recorded_at <= coalesce(${recordedUntil?.toISOString() ?? null}::timestamptz, 'infinity')
       ORDER BY item_id, occurred_at DESC, id DESC
    ) latest ORDER BY occurred_at DESC, id DESC LIMIT ${limit}`;
}

/** A user with the items that the user touched last, newest first, each with its last interaction. */
export interface UserHistoryRow {
  userId: UserId;
  externalId: string;
  items: readonly { itemId: ItemId; occurredAt: number; recordedAt: number }[];
}

/** The `limit` items that each of these users touched last, of those users that the tenant has; times in epoch milliseconds. */
export async function listItemsOfUsers(
  tx: TenantTx,
  externalIds: readonly string[],
  { limit }: { limit: number },
): Promise<UserHistoryRow[]> {
  const rows = await tx.client.$queryRaw<UserHistoryText[]>(itemsOfUsers(tx.tenantId, externalIds, limit));
  return rows.map(toUserHistory);
}

/** The same in a transaction of its own and one round trip. */
export async function readItemsOfUsers(
  db: Pick<Db, 'pipelines'>,
  tenantId: TenantId,
  { externalIds, limit }: { externalIds: readonly string[]; limit: number },
): Promise<UserHistoryRow[]> {
  const statement = itemsOfUsers(tenantId, externalIds, limit);
  // To plan it takes twice as long as to run it.
  const read = { name: 'items-of-users', statement, isPlannedOnce: true };
  const rows = await readAsTenant<UserHistoryText>(db, tenantId, read);
  return rows.map(toUserHistory);
}

interface UserHistoryText {
  userId: UserId;
  externalId: string;
  items: string | null;
}

/** One text for each user: a row for each item would cost more to read than to find. */
function itemsOfUsers(tenantId: TenantId, externalIds: readonly string[], limit: number): Prisma.Sql {
  return Prisma.sql`
    SELECT u.id AS "userId", u.external_id AS "externalId", h.items
      FROM users u
      LEFT JOIN LATERAL (
        SELECT string_agg(concat_ws(':', item_id, (extract(epoch FROM occurred_at) * 1000)::bigint,
                                    (extract(epoch FROM recorded_at) * 1000)::bigint),
                          ',' ORDER BY occurred_at DESC, id DESC) AS items
          FROM (
            SELECT * FROM (
              SELECT DISTINCT ON (item_id) item_id, occurred_at, recorded_at, id FROM interactions
               WHERE tenant_id = ${tenantId}::uuid AND user_id = u.id
               ORDER BY item_id, occurred_at DESC, id DESC
            ) latest ORDER BY occurred_at DESC, id DESC LIMIT ${limit}
          ) newest
      ) h ON true
     WHERE u.tenant_id = ${tenantId}::uuid AND u.external_id = ANY (${[...externalIds]}::text[])`;
}

function toUserHistory({ userId, externalId, items }: UserHistoryText): UserHistoryRow {
  return { userId, externalId, items: readItems(items) };
}

function readItems(text: string | null): UserHistoryRow['items'] {
  if (text === null || text === '') return [];
  return text.split(',').map((row) => {
    const [itemId = '', occurredAt, recordedAt] = row.split(':');
    return { itemId: itemId as ItemId, occurredAt: Number(occurredAt), recordedAt: Number(recordedAt) };
  });
}
