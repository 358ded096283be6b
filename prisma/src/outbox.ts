import type { TenantId } from '@kindred/domain/ids';
import { v7 } from 'uuid';
import type { Db } from './client.ts';
import { type TenantTx, withTenant } from './tenants.ts';

/** The topic of what webhooks are to tell: no channel of Redis, but work for Temporal. See `dispatchWebhookEvents`. */
export const WEBHOOK_TOPIC = 'webhooks';

/** How many messages are sent between two looks into the table. */
const BATCH_SIZE = 100;

/** Notes what others are to be told about a change, in the change's own transaction: told if and only if it happened. */
export async function appendOutbox(
  tx: TenantTx,
  { topic, message }: { topic: string; message: object },
): Promise<void> {
  await tx.client.outboxMessage.create({ data: { tenantId: tx.tenantId, id: v7(), topic, message } });
}

/**
 * Hands a tenant's messages to `publish`, the oldest first and without those for webhooks, and forgets each once it was taken: at least once, so that
 * whoever listens must not mind to hear one twice.
 * @throws what `publish` throws; the messages that were not taken stay.
 */
export async function publishOutbox(
  db: Db,
  tenantId: TenantId,
  publish: (topic: string, message: string) => Promise<unknown>,
): Promise<number> {
  let count = 0;
  while (true) {
    const messages = await withTenant(db, tenantId, (tx) =>
      tx.client.outboxMessage.findMany({
        where: { tenantId, topic: { not: WEBHOOK_TOPIC } },
        orderBy: { id: 'asc' },
        take: BATCH_SIZE,
      }),
    );
    for (const { id, topic, message } of messages) {
      await publish(topic, JSON.stringify(message));
      await withTenant(db, tenantId, (tx) => tx.client.outboxMessage.deleteMany({ where: { tenantId, id } }));
    }
    count += messages.length;
    if (messages.length < BATCH_SIZE) {
      return count;
    }
  }
}

/** The tenants with messages that have waited since before `writtenBefore`: their writer did not live to send them. */
export async function findOutboxTenants(db: Db, writtenBefore: Date): Promise<TenantId[]> {
  const { rows } = await db.pool.query<{ tenant_id: TenantId }>('SELECT tenant_id FROM outbox_tenants($1)', [
    writtenBefore,
  ]);
  return rows.map((row) => row.tenant_id);
}
