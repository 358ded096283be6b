import { AppError } from '@kindred/domain/app-error';
import { type ItemId, newId, type TenantId, type UserId } from '@kindred/domain/ids';
import { v7 } from 'uuid';
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

export interface RecordedInteractions {
  recordedCount: number;
  /** Rows whose `eventId` was known already, or stood earlier in the same batch. */
  duplicateCount: number;
  /** The positions in `rows` whose item the tenant does not have. */
  unknownItemPositions: number[];
}

/** Records the rows whose item is known, creating their users; the same `eventId` counts once, over all batches. */
export async function recordInteractions(tx: TenantTx, rows: readonly NewInteraction[]): Promise<RecordedInteractions> {
  const itemIds = await findItemIds(tx, new Set(rows.map((row) => row.itemExternalId)));
  const unknownItemPositions: number[] = [];
  const known: object[] = [];
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
  const recordedCount = await insertInteractions(tx, JSON.stringify(known));
  return { recordedCount, duplicateCount: known.length - recordedCount, unknownItemPositions };
}

async function findItemIds(tx: TenantTx, externalIds: ReadonlySet<string>): Promise<Map<string, ItemId>> {
  const items = await tx.client.$queryRaw<{ id: ItemId; externalId: string }[]>`
    SELECT id, external_id AS "externalId" FROM items
     WHERE tenant_id = ${tx.tenantId}::uuid AND external_id = ANY (${[...externalIds]}::text[])`;
  return new Map(items.map((item) => [item.externalId, item.id]));
}

/** Inserts in order, so that two concurrent batches wait for each other in the same order. */
async function createUnknownUsers(tx: TenantTx, externalIds: ReadonlySet<string>): Promise<void> {
  const json = JSON.stringify([...externalIds].map((externalId) => ({ id: newId('User'), external_id: externalId })));
  await tx.client.$executeRaw`
    INSERT INTO users (tenant_id, id, external_id)
    SELECT ${tx.tenantId}::uuid, r.id, r.external_id
      FROM jsonb_to_recordset(${json}::jsonb) AS r (id uuid, external_id text)
     WHERE NOT EXISTS (SELECT FROM users u WHERE u.tenant_id = ${tx.tenantId}::uuid AND u.external_id = r.external_id)
     ORDER BY r.external_id
    ON CONFLICT (tenant_id, external_id) DO NOTHING`;
}

async function insertInteractions(tx: TenantTx, json: string): Promise<number> {
  return tx.client.$executeRaw`
    INSERT INTO interactions (tenant_id, id, user_id, item_id, type, value, event_id, occurred_at)
    SELECT u.tenant_id, r.id, u.id, r.item_id, r.type, r.value, r.event_id, r.occurred_at
      FROM jsonb_to_recordset(${json}::jsonb)
        AS r (id uuid, "user" text, item_id uuid, type interaction_type, value double precision, event_id text,
              occurred_at timestamptz)
      JOIN users u ON u.tenant_id = ${tx.tenantId}::uuid AND u.external_id = r."user"
     ORDER BY r.event_id, r.id
    ON CONFLICT (tenant_id, event_id) DO NOTHING`;
}

/** The cursor position of an interaction in `listInteractions`. */
export function interactionPosition(interaction: Pick<InteractionRow, 'occurredAt' | 'id'>): string {
  return `${interaction.occurredAt.getTime()}:${interaction.id}`;
}

/**
 * At most `first` interactions of a user, newest first, from after a position given by `interactionPosition`.
 * @throws AppError BAD_USER_INPUT when the position is not one.
 */
export async function listInteractions(
  tx: TenantTx,
  page: { userId: UserId; first: number; afterCursorPosition?: string | null | undefined },
): Promise<InteractionRow[]> {
  const after = page.afterCursorPosition ? parsePosition(page.afterCursorPosition) : undefined;
  const rows = await tx.client.interaction.findMany({
    where: {
      tenantId: tx.tenantId,
      userId: page.userId,
      ...(after && {
        OR: [{ occurredAt: { lt: after.occurredAt } }, { occurredAt: after.occurredAt, id: { lt: after.id } }],
      }),
    },
    orderBy: [{ occurredAt: 'desc' }, { id: 'desc' }],
    take: page.first,
  });
  return rows as InteractionRow[];
}

function parsePosition(position: string): { occurredAt: Date; id: string } {
  const [, milliseconds, id] = /^(-?\d{1,15}):([0-9a-f-]{36})$/.exec(position) ?? [];
  if (milliseconds === undefined || id === undefined) {
    throw new AppError('BAD_USER_INPUT', `"${position}" is not the position of an interaction.`);
  }
  return { occurredAt: new Date(Number(milliseconds)), id };
}

/** The `limit` items that a user touched last, newest first, each with the last interaction. */
export async function listUserItems(
  tx: TenantTx,
  userId: UserId,
  limit: number,
): Promise<{ itemId: ItemId; type: InteractionType; occurredAt: Date }[]> {
  return tx.client.$queryRaw<{ itemId: ItemId; type: InteractionType; occurredAt: Date }[]>`
    SELECT item_id AS "itemId", type, occurred_at AS "occurredAt" FROM (
      SELECT DISTINCT ON (item_id) item_id, type, occurred_at, id FROM interactions
       WHERE tenant_id = ${tx.tenantId}::uuid AND user_id = ${userId}::uuid
       ORDER BY item_id, occurred_at DESC, id DESC
    ) latest ORDER BY occurred_at DESC, id DESC LIMIT ${limit}`;
}
