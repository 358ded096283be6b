import { encodeGlobalId, newId, type TenantId } from '@kindred/domain/ids';
import { createTestModel, createTestRun } from '@kindred/testing/test-model';
import type { TestTenant } from '@kindred/testing/test-tenant';
import { createTwoTenants, type TwoTenants } from '@kindred/testing/two-tenants';
import { expect, test } from 'vitest';
import { createApiKey, revokeApiKey } from './api-keys.ts';
import type { Db } from './client.ts';
import { acceptInvitation, createInvitation } from './invitations.ts';
import { changeMemberRole, removeMember } from './members.ts';
import { completeModelVersion, createModelVersion, promoteModelVersion, rollbackModel } from './model-versions.ts';
import { publishOutbox } from './outbox.ts';
import { type TenantTx, withTenant } from './tenants.ts';
import { finishTrainingRun } from './training-runs.ts';
import { appendWebhookEvent, dispatchWebhookEvents } from './webhook-events.ts';
import { createWebhook, deleteWebhook, disableWebhook } from './webhooks.ts';

type Delivery = Parameters<Parameters<typeof dispatchWebhookEvents>[2]>[0];

const METRICS = { ndcgAt10: 0.4, recallAt10: 0.3, hitRateAt10: 0.6, coverageAt10: 0.5 };

async function openWebhook(db: Db, tenantId: TenantId) {
  const id = newId('Webhook');
  const input = { id, url: 'https://hook.example/', sealedSecret: new Uint8Array([1]) };
  await withTenant(db, tenantId, (tx) => createWebhook(tx, input));
  return id;
}

const eventsOf = (db: Db, tenantId: TenantId) =>
  withTenant(db, tenantId, (tx) =>
    tx.client.webhookEvent.findMany({ where: { tenantId }, orderBy: { id: 'asc' }, omit: { tenantId: true } }),
  );

const tell = (tx: TenantTx) => appendWebhookEvent(tx, 'member.removed', { accountId: 'acc_1' });

async function dispatch({ db }: TwoTenants, tenantId: TenantId): Promise<Delivery[]> {
  const started: Delivery[] = [];
  await dispatchWebhookEvents(db, tenantId, async (delivery) => void started.push(delivery));
  return started;
}

/** One of each change, each done twice where it can be. */
async function doEverything(db: Db, { tenantId, accountId }: TestTenant): Promise<void> {
  const other = newId('Account');
  const token = new Uint8Array(crypto.getRandomValues(new Uint8Array(32)));
  await withTenant(db, tenantId, async (tx) => {
    const model = await createTestModel(tx);
    for (const status of ['FAILED', 'CANCELLED', 'SUCCEEDED', 'SUCCEEDED'] as const) {
      const run = await createTestRun(tx, model);
      const version = { id: newId('ModelVersion'), runId: run.id, algorithm: 'LIGHTGCN', artefactKey: 'k' } as const;
      if (status === 'SUCCEEDED') {
        await createModelVersion(tx, version);
        const index = { kind: 'EXACT', factory: null, recallAt20: 1 } as const;
        await completeModelVersion(tx, { versionId: version.id, metrics: METRICS, baselines: [], index });
        for (const _ of [1, 2]) await promoteModelVersion(tx, { versionId: version.id });
      }
      for (const _ of [1, 2]) await finishTrainingRun(tx, { runId: run.id, status });
    }
    await rollbackModel(tx, model.id);
    const id = newId('ApiKey');
    const rules = { scopes: [], allowedOrigins: [], expiresAt: null, replacesId: null };
    await createApiKey(tx, { id, name: 'Shop', kind: 'SECRET', preview: 'ks_', digest: token, ...rules });
    for (const _ of [1, 2]) await revokeApiKey(tx, id);
    const expiresAt = new Date(Date.now() + 60_000);
    await createInvitation(tx, { id: newId('Invitation'), role: 'MEMBER', digest: token, expiresAt });
  });
  const newAccount = { email: `${other}@example.com`, displayName: 'Bo', passwordHash: 'none' };
  for (const _ of [1, 2]) await acceptInvitation(db, token, { accountId: other, newAccount });
  await withTenant(db, tenantId, async (tx) => {
    for (const _ of [1, 2]) await changeMemberRole(tx, other, 'VIEWER');
    for (const _ of [1, 2]) await removeMember(tx, other);
    await changeMemberRole(tx, accountId, 'OWNER');
  });
}

test('each change is told once, to its own tenant, by ids alone; without a webhook nothing is kept', async () => {
  await using world = await createTwoTenants();
  const { db, ours, theirs } = world;
  await openWebhook(db, ours.tenantId);
  await doEverything(db, ours);
  await doEverything(db, theirs);
  const events = await eventsOf(db, ours.tenantId);
  expect(events.map(({ type }) => type)).toEqual([
    'training_run.failed',
    'training_run.cancelled',
    'model_version.promoted',
    'training_run.succeeded',
    'model_version.promoted',
    'training_run.succeeded',
    'model_version.rolled_back',
    'api_key.created',
    'api_key.revoked',
    'member.joined',
    'member.role_changed',
    'member.removed',
  ]);
  expect(events[2]?.data).toMatchObject({ number: 1, modelVersionId: expect.stringMatching(/^ver_/) as string });
  expect(events[10]?.data).toEqual({ accountId: expect.stringMatching(/^acc_/) as string, role: 'VIEWER' });
  expect(JSON.stringify(events)).not.toContain('example.com');
  expect(await eventsOf(db, theirs.tenantId)).toEqual([]);
});

test('what was rolled back is told to nobody', async () => {
  await using world = await createTwoTenants();
  const { db, ours } = world;
  await openWebhook(db, ours.tenantId);
  const failing = withTenant(db, ours.tenantId, async (tx) => {
    await tell(tx);
    throw new Error('rolled back');
  });
  await expect(failing).rejects.toThrow('rolled back');
  expect(await dispatch(world, ours.tenantId)).toEqual([]);
  expect(await eventsOf(db, ours.tenantId)).toEqual([]);
});

test('an event goes to the webhooks that worked when it happened, once, and to none of another tenant', async () => {
  await using world = await createTwoTenants();
  const { db, ours, theirs } = world;
  const [first, gone, disabled] = [
    await openWebhook(db, ours.tenantId),
    await openWebhook(db, ours.tenantId),
    await openWebhook(db, ours.tenantId),
  ];
  await openWebhook(db, theirs.tenantId);
  await withTenant(db, ours.tenantId, tell);
  await openWebhook(db, ours.tenantId);
  await withTenant(db, ours.tenantId, async (tx) => {
    await deleteWebhook(tx, gone);
    await disableWebhook(tx, disabled, 'GONE');
  });
  const [event] = await eventsOf(db, ours.tenantId);
  expect(await dispatch(world, theirs.tenantId)).toEqual([]);
  expect(await dispatch(world, ours.tenantId)).toEqual([
    { tenantId: ours.tenantId, webhookId: first, eventId: event?.id },
  ]);
  expect(await dispatch(world, ours.tenantId)).toEqual([]);
});

test('an event that could not be handed on stays, and whoever sends live messages leaves it alone', async () => {
  await using world = await createTwoTenants();
  const { db, ours } = world;
  await openWebhook(db, ours.tenantId);
  await withTenant(db, ours.tenantId, async (tx) => {
    await tell(tx);
    await tell(tx);
  });
  const refuse = () => Promise.reject(new Error('Temporal is away.'));
  await expect(dispatchWebhookEvents(db, ours.tenantId, refuse)).rejects.toThrow('Temporal is away.');
  expect(await publishOutbox(db, ours.tenantId, async () => {})).toBe(0);
  expect(await dispatch(world, ours.tenantId)).toHaveLength(2);
});

test('an event is kept for 30 days, and forgotten with its attempts after that', async () => {
  await using world = await createTwoTenants();
  const { db, ours } = world;
  await openWebhook(db, ours.tenantId);
  const tenantId = encodeGlobalId('Tenant', ours.tenantId);
  for (const days of [31, 29]) {
    await withTenant(db, ours.tenantId, (tx) =>
      tx.client.webhookEvent.create({
        data: {
          tenantId: ours.tenantId,
          id: newId('WebhookEvent'),
          type: 'member.removed',
          at: new Date(Date.now() - days * 86_400_000),
          data: { tenantId },
        },
      }),
    );
  }
  await dispatch(world, ours.tenantId);
  expect(await eventsOf(db, ours.tenantId)).toHaveLength(1);
});
