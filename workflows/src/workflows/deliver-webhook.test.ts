import { listAuditEvents } from '@kindred/db/audit-log';
import { withTenant } from '@kindred/db/tenants';
import { finishTrainingRun } from '@kindred/db/training-runs';
import { createWebhookEvent } from '@kindred/db/webhook-events';
import { disableWebhook, enableWebhook, recordWebhookDelivery } from '@kindred/db/webhooks';
import { encodeGlobalId, newId, type TenantId } from '@kindred/domain/ids';
import { createTestTenant } from '@kindred/testing/test-tenant';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { attemptDelivery } from '../activities/attempt-delivery.ts';
import { WEBHOOK_WAITS_MS } from '../contract.ts';
import { relayWebhooks } from '../relay-webhooks.ts';
import { runWorkers } from '../testing/run-workers.ts';
import { openTrainingWorld, queueRun, type TrainingWorld } from '../testing/training-world.ts';
import { openWebhookTarget } from '../testing/webhook-target.ts';
import { openWebhookWorld } from '../testing/webhook-world.ts';

vi.setConfig({ testTimeout: 60_000 });

const SOON = [20, 40, 80];

let world: TrainingWorld;
let workers: AsyncDisposable;
let hooks: ReturnType<typeof openWebhookWorld>;
/** How many attempts more are made without their end being told, as by a worker that dies. */
let untold = 0;

beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  world = await openTrainingWorld();
  hooks = openWebhookWorld(world);
  const deps = { ...world.deps, webhooks: world.webhooks };
  workers = await runWorkers(world, {
    attemptDelivery: async (input) => {
      const outcome = await attemptDelivery(deps, input);
      if (untold === 0) return outcome;
      untold -= 1;
      throw new Error('The worker died before it told its end.');
    },
  });
});

afterAll(async () => {
  await workers[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

const openTenant = async (): Promise<TenantId> => (await createTestTenant(world.deps.db)).tenantId;

const relay = (waitsMs: readonly number[] = SOON) => relayWebhooks({ ...world.deps, client: world.client }, waitsMs);

const lastAuditEvent = async (tenantId: TenantId) =>
  (await withTenant(world.deps.db, tenantId, (tx) => listAuditEvents(tx, { first: 1 })))[0];

test('a training that ended is told to every webhook of its tenant and to nobody else, signed, and written down', async () => {
  await using first = await openWebhookTarget([{ status: 202, body: 'thanks' }]);
  await using second = await openWebhookTarget();
  await using foreign = await openWebhookTarget();
  const [tenantId, other] = [await openTenant(), await openTenant()];
  const webhook = await hooks.open(tenantId, first.url);
  const another = await hooks.open(tenantId, second.url);
  const theirs = await hooks.open(other, foreign.url);
  const run = await queueRun(world, tenantId);
  await withTenant(world.deps.db, tenantId, (tx) =>
    finishTrainingRun(tx, { runId: run.runId, status: 'FAILED', failure: 'too little data' }),
  );
  await relay();
  expect(await hooks.outcome(webhook)).toEqual({ state: 'TAKEN', attempts: 1 });
  expect(await hooks.outcome(another)).toEqual({ state: 'TAKEN', attempts: 1 });
  expect(first.verify(webhook.secret, 0)).toMatchObject({
    type: 'training_run.failed',
    data: {
      trainingRunId: encodeGlobalId('TrainingRun', run.runId),
      modelId: encodeGlobalId('Model', run.modelId),
      failure: 'too little data',
    },
  });
  expect(second.received).toHaveLength(1);
  expect(() => second.verify(webhook.secret, 0)).toThrow('No matching signature found');
  const eventId = await hooks.newestEvent(tenantId);
  expect(first.received[0]?.headers['webhook-id']).toBe(encodeGlobalId('WebhookEvent', eventId));
  expect(await hooks.deliveries(webhook)).toMatchObject([
    { eventId, eventType: 'training_run.failed', attempt: 1, status: 202, failure: null, responseBody: 'thanks' },
  ]);
  expect(foreign.received).toEqual([]);
  expect(await hooks.deliveries(theirs)).toEqual([]);
});

test('an event that many relays find at once, and find again later, is sent once', async () => {
  await using target = await openWebhookTarget();
  const tenantId = await openTenant();
  const webhook = await hooks.open(tenantId, target.url);
  await hooks.happen(tenantId);
  await Promise.all(Array.from({ length: 8 }, () => relay()));
  await hooks.outcome(webhook);
  const { runId } = await (await hooks.handleOf(webhook)).describe();
  const eventId = await hooks.newestEvent(tenantId);
  // As after a crash between the start of the delivery and the end of the word that asked for it.
  await withTenant(world.deps.db, tenantId, (tx) =>
    tx.client.outboxMessage.create({ data: { tenantId, id: eventId, topic: 'webhooks', message: { eventId } } }),
  );
  await relay();
  await hooks.outcome(webhook);
  expect((await (await hooks.handleOf(webhook)).describe()).runId).toBe(runId);
  expect(target.received).toHaveLength(1);
});

test('a relay that dies between two webhooks has lost nothing: the next tells both, the first not twice', async () => {
  await using first = await openWebhookTarget();
  await using second = await openWebhookTarget();
  const tenantId = await openTenant();
  const webhooks = [await hooks.open(tenantId, first.url), await hooks.open(tenantId, second.url)];
  await hooks.happen(tenantId);
  const dying = {
    workflow: {
      start: async (...[name, options]: Parameters<typeof world.client.workflow.start>) => {
        if (options.workflowId.includes(webhooks[1]?.webhookId ?? '')) throw new Error('The relay died.');
        return world.client.workflow.start(name, options);
      },
    },
  };
  await relayWebhooks({ ...world.deps, client: dying }, SOON);
  await relay();
  for (const webhook of webhooks) expect(await hooks.outcome(webhook)).toEqual({ state: 'TAKEN', attempts: 1 });
  expect([first.received.length, second.received.length]).toEqual([1, 1]);
});

test('a target that fails is tried again with the same message id, after waits that grow with jitter', async () => {
  await using target = await openWebhookTarget([{ status: 500, body: 'oh' }, { status: 302 }, { status: 404 }]);
  const tenantId = await openTenant();
  const webhook = await hooks.open(tenantId, target.url);
  await hooks.happen(tenantId);
  await relay();
  expect(await hooks.outcome(webhook)).toEqual({ state: 'TAKEN', attempts: 4 });
  const ids = target.received.map(({ headers }) => headers['webhook-id']);
  expect(ids).toHaveLength(4);
  expect(new Set(ids).size).toBe(1);
  expect(new Set(target.received.map(({ body }) => body)).size).toBe(1);
  const deliveries = await hooks.deliveries(webhook);
  expect(deliveries.map(({ attempt, status }) => [attempt, status])).toEqual([
    [1, 500],
    [2, 302],
    [3, 404],
    [4, 200],
  ]);
  expect(deliveries[0]?.responseBody).toBe('oh');
  const waits = await hooks.waits(webhook);
  expect(waits).toHaveLength(SOON.length);
  for (const [index, wait] of waits.entries()) {
    expect(wait).toBeGreaterThanOrEqual(SOON[index] ?? Infinity);
    expect(wait).toBeLessThanOrEqual(1.2 * (SOON[index] ?? 0) + 1);
  }
  expect((await hooks.find(webhook))?.disabledAt).toBeNull();
});

test('a target that says when to come back is waited for, and the platform’s own schedule begins with 5 s', async () => {
  await using target = await openWebhookTarget([
    { status: 503, headers: { 'retry-after': '0' } },
    { status: 429, headers: { 'retry-after': '3600' } },
  ]);
  const tenantId = await openTenant();
  const webhook = await hooks.open(tenantId, target.url);
  await hooks.happen(tenantId);
  await relay([20, 40, 80]);
  await expect.poll(() => hooks.waits(webhook), { timeout: 20_000 }).toHaveLength(2);
  const [first, second] = await hooks.waits(webhook);
  expect(first).toBeLessThan(30);
  expect(second).toBe(3_600_000);
  await (await hooks.handleOf(webhook)).terminate();

  await using failing = await openWebhookTarget([{ status: 500 }]);
  const patient = await hooks.open(await openTenant(), failing.url);
  await hooks.happen(patient.tenantId);
  await relay(WEBHOOK_WAITS_MS);
  await expect.poll(() => hooks.waits(patient), { timeout: 20_000 }).toHaveLength(1);
  const [wait] = await hooks.waits(patient);
  expect(wait).toBeGreaterThanOrEqual(5_000);
  expect(wait).toBeLessThanOrEqual(6_000);
  await (await hooks.handleOf(patient)).terminate();
});

test('an attempt whose worker died after it was written down is not made again', async () => {
  await using target = await openWebhookTarget([{ status: 500 }]);
  const webhook = await hooks.open(await openTenant(), target.url);
  await hooks.happen(webhook.tenantId);
  untold = 1;
  await relay();
  expect(await hooks.outcome(webhook)).toEqual({ state: 'TAKEN', attempts: 2 });
  expect(untold).toBe(0);
  expect(target.received).toHaveLength(2);
  expect((await hooks.deliveries(webhook)).map(({ attempt, status }) => [attempt, status])).toEqual([
    [1, 500],
    [2, 200],
  ]);
});

test('a target that says 410 is told nothing more, as the audit log says', async () => {
  await using target = await openWebhookTarget([{ status: 410 }]);
  const webhook = await hooks.open(await openTenant(), target.url);
  const { tenantId } = webhook;
  await hooks.happen(tenantId);
  await relay();
  expect(await hooks.outcome(webhook)).toEqual({ state: 'NOT_WANTED', attempts: 1 });
  expect(await hooks.find(webhook)).toMatchObject({ disabledAt: expect.any(Date) as Date, disabledReason: 'GONE' });
  expect(await lastAuditEvent(tenantId)).toMatchObject({
    actor: { kind: 'platform' },
    action: 'disableWebhook',
    details: { webhookId: encodeGlobalId('Webhook', webhook.webhookId), reason: 'GONE' },
  });
  await hooks.happen(tenantId);
  await relay();
  expect(target.received).toHaveLength(1);
});

test('a webhook that took nothing through all attempts is disabled; enabled again, it is told of what happens from then on', async () => {
  const { db } = world.deps;
  await using target = await openWebhookTarget(Array.from({ length: 4 }, () => ({ status: 500 })));
  const webhook = await hooks.open(await openTenant(), target.url);
  const { tenantId, webhookId } = webhook;
  await hooks.happen(tenantId);
  await relay();
  expect(await hooks.outcome(webhook)).toEqual({ state: 'DISABLED', attempts: 4 });
  expect(await hooks.find(webhook)).toMatchObject({ disabledReason: 'FAILING' });
  expect(await lastAuditEvent(tenantId)).toMatchObject({ action: 'disableWebhook', details: { reason: 'FAILING' } });
  await withTenant(db, tenantId, (tx) => enableWebhook(tx, webhookId));
  await hooks.happen(tenantId);
  await relay();
  expect(await hooks.outcome(webhook)).toEqual({ state: 'TAKEN', attempts: 1 });
  expect(target.received).toHaveLength(5);
});

test('a webhook that took another event meanwhile stays when one is given up', async () => {
  await using target = await openWebhookTarget([{ status: 500 }, { status: 500 }]);
  const webhook = await hooks.open(await openTenant(), target.url);
  const { tenantId, webhookId } = webhook;
  await hooks.happen(tenantId);
  const eventId = await hooks.newestEvent(tenantId);
  await relay([1_000]);
  await withTenant(world.deps.db, tenantId, async (tx) => {
    const [id, other] = [newId('WebhookDelivery'), newId('WebhookEvent')];
    const data = { webhookId: encodeGlobalId('Webhook', webhookId) };
    await createWebhookEvent(tx, { id: other, type: 'webhook.test', at: new Date(0), data });
    const taken = { status: 200, failure: null, responseBody: '', durationMs: 1, attempt: null };
    await recordWebhookDelivery(tx, { id, webhookId, eventId: other, eventType: 'webhook.test', ...taken });
  });
  const delivery = await hooks.handleOf(webhook, eventId);
  expect(await delivery.result()).toEqual({ state: 'GIVEN_UP', attempts: 2 });
  expect((await hooks.find(webhook))?.disabledAt).toBeNull();
});

test('a webhook that was disabled or deleted between two attempts is not tried again', async () => {
  await using target = await openWebhookTarget([{ status: 500 }]);
  const webhook = await hooks.open(await openTenant(), target.url);
  await hooks.happen(webhook.tenantId);
  await relay([500]);
  await expect.poll(() => hooks.waits(webhook), { timeout: 20_000 }).toHaveLength(1);
  await withTenant(world.deps.db, webhook.tenantId, (tx) => disableWebhook(tx, webhook.webhookId, 'GONE'));
  expect(await hooks.outcome(webhook)).toEqual({ state: 'NOT_WANTED', attempts: 2 });
  expect(target.received).toHaveLength(1);
});
