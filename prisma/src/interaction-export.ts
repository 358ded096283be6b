import type { ItemId, TenantId, UserId } from '@kindred/domain/ids';
import type { Db } from './client.ts';
import type { InteractionType } from './interactions.ts';

export interface ExportedInteraction {
  userId: UserId;
  itemId: ItemId;
  type: InteractionType;
  value: number | null;
  occurredAt: Date;
}

/** One fetch holds this many rows in memory: about 2 MB. */
const BATCH_SIZE = 10_000;

/**
 * All interactions of a tenant as they stood when the first batch was asked for, by user id, time and id, in batches of
 * at most 10,000. Holds one connection until the iteration ends or is left.
 */
export async function* exportInteractions(db: Db, tenantId: TenantId): AsyncGenerator<ExportedInteraction[], void> {
  const client = await db.pool.connect();
  let finished = false;
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    await client.query(
      `SELECT set_config('app.tenant_id', $1, true), set_config('statement_timeout', '300s', true),
              set_config('idle_in_transaction_session_timeout', '300s', true)`,
      [tenantId],
    );
    await client.query(`
      DECLARE export NO SCROLL CURSOR FOR
      SELECT user_id AS "userId", item_id AS "itemId", type, value, occurred_at AS "occurredAt" FROM interactions
       ORDER BY user_id, occurred_at, id`);
    while (true) {
      const { rows } = await client.query<ExportedInteraction>(`FETCH ${BATCH_SIZE} FROM export`);
      if (rows.length === 0) {
        break;
      }
      yield rows;
    }
    await client.query('COMMIT');
    finished = true;
  } finally {
    // A transaction that was left half-way goes with its connection.
    client.release(!finished);
  }
}
