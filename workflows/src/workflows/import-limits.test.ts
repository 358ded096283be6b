import { type TenantTx, withTenant } from '@kindred/db/tenants';
import { changePlan } from '@kindred/db/usage';
import { createWebhook } from '@kindred/db/webhooks';
import { encodeGlobalId, newId, type TenantId } from '@kindred/domain/ids';
import { PLANS } from '@kindred/domain/plans';
import { createTestTenant } from '@kindred/testing/test-tenant';
import { expect, test } from 'vitest';
import { importFile } from '../testing/import-world.ts';
import { type TrainingWorld } from '../testing/training-world.ts';
import { openWorldAroundTests } from '../testing/world-around-tests.ts';

let world: TrainingWorld;
openWorldAroundTests((opened) => {
  world = opened;
});

const within = <T>(tenantId: TenantId, work: (tx: TenantTx) => Promise<T>) => withTenant(world.deps.db, tenantId, work);

/** A tenant of the smallest plan, whose webhooks are told. */
async function freeTenant(): Promise<TenantId> {
  const { tenantId } = await createTestTenant(world.deps.db);
  await within(tenantId, async (tx) => {
    await changePlan(tx, 'FREE');
    await createWebhook(tx, { id: newId('Webhook'), url: 'https://hook.example/', sealedSecret: new Uint8Array([1]) });
  });
  return tenantId;
}

const countItems = (tenantId: TenantId) => within(tenantId, (tx) => tx.client.item.count({ where: { tenantId } }));

test('an import ends where the plan has no room, says so, and keeps what was written before; webhooks are told', async () => {
  const [ours, theirs] = [await freeTenant(), await freeTenant()];
  const { itemCount } = PLANS.FREE;
  const lines = Array.from({ length: itemCount + 1 }, (_, index) =>
    JSON.stringify({ externalId: `item-${index}`, title: `Item ${index}` }),
  );
  const file = { kind: 'ITEMS', format: 'JSONL', errorPolicy: 'REJECT_FAILED_ROWS' } as const;
  const { row } = await importFile(world, ours, { ...file, content: lines.join('\n') });
  expect(row).toMatchObject({
    status: 'FAILED',
    failure: 'The plan FREE allows 10,000 items: there are 10,000, and 1 more were wanted.',
    state: { writtenCount: itemCount },
  });
  expect([await countItems(ours), await countItems(theirs)]).toEqual([itemCount, 0]);
  const listEvents = (tenantId: TenantId) =>
    within(tenantId, (tx) =>
      tx.client.webhookEvent.findMany({ where: { tenantId }, select: { type: true, data: true } }),
    );
  const data = {
    importId: encodeGlobalId('Import', row?.id ?? expect.fail()),
    status: 'FAILED',
    rowCount: itemCount,
    writtenCount: itemCount,
    failedCount: 0,
  };
  expect(await listEvents(ours)).toEqual([{ type: 'import.finished', data }]);
  expect(await listEvents(theirs)).toEqual([]);
}, 120_000);
