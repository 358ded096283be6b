import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { encodeGlobalId } from '@kindred/domain/ids';
import type { Viewer } from '@kindred/domain/viewer';
import { newWebhookSecret, openWebhookSecret, sealWebhookSecret } from '@kindred/service/webhook-secret';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createTestSubgraph, signUpTenant, type TestSubgraph } from './test-subgraph.ts';

interface Answer {
  webhook: { id: string; url: string; disabledAt: string | null } | null;
  secret: string | null;
  delivery: {
    id: string;
    messageId: string;
    attempt: number | null;
    status: number | null;
    failure: string | null;
    responseBody: string | null;
  } | null;
  deletedWebhookId: string | null;
  userErrors: { code: string; message: string; path: string[] }[];
}

const SELECTIONS: Record<string, string> = {
  createWebhook: 'webhook { id url disabledAt } secret',
  rotateWebhookSecret: 'webhook { id } secret',
  deleteWebhook: 'deletedWebhookId',
  testWebhook: 'delivery { id messageId attempt status failure responseBody }',
  redeliverWebhook: 'delivery { id messageId attempt status failure responseBody }',
  enableWebhook: 'webhook { id disabledAt }',
};
const LIST = `{ tenant { webhooks { edges { node { id url disabledAt deliveries { edges { node { id eventType status failure durationMs at } } } } } } } }`;

const received: { headers: IncomingHttpHeaders; body: string }[] = [];
let status = 200;
const target = createServer((request, response) => {
  let body = '';
  request.on('data', (chunk: Buffer) => (body += chunk.toString('utf8')));
  request.on('end', () => {
    received.push({ headers: request.headers, body });
    response.writeHead(status, status === 302 ? { location: '/elsewhere' } : {}).end('noted');
  });
});

let url: string;
let subgraph: TestSubgraph;
beforeAll(async () => {
  await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve));
  url = `http://hook.example:${(target.address() as AddressInfo).port}/`;
  // The outside world of these tests is this machine.
  const targetRules = {
    protocols: ['http:'],
    isAllowed: (address: string) => address === '127.0.0.1',
    resolve: async (hostname: string) => [hostname === 'hook.example' ? '127.0.0.1' : '10.0.0.1'],
  };
  subgraph = await createTestSubgraph({ targetRules });
});
afterAll(async () => {
  await subgraph[Symbol.asyncDispose]();
  await new Promise((resolve) => target.close(resolve));
});
beforeEach(() => {
  received.length = 0;
  status = 200;
});

async function mutate(viewer: Viewer, name: string, input: object): Promise<Answer> {
  const type = `${name[0]?.toUpperCase()}${name.slice(1)}Input!`;
  const document = `mutation ($input: ${type}) { ${name}(input: $input) { ${SELECTIONS[name]} userErrors { code message path } } }`;
  const answer = (await subgraph.read<Record<string, Answer>>(viewer, document, { input }))[name];
  if (answer === undefined) throw new Error(`${name} gave no answer`);
  return answer;
}

function verify(secret: string | null): unknown {
  const [{ headers, body } = { headers: {}, body: '' }] = received.slice(-1);
  return new Webhook(secret ?? '').verify(body, headers as Record<string, string>);
}

test('a test event arrives signed, as the receiver’s own library verifies, and is written down', async () => {
  const { viewer } = await signUpTenant(subgraph);
  const { webhook, secret, userErrors } = await mutate(viewer, 'createWebhook', { url });
  expect(userErrors).toEqual([]);
  expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{32}$/);
  const { delivery } = await mutate(viewer, 'testWebhook', { webhookId: webhook?.id });
  expect(delivery).toMatchObject({ status: 200, failure: null });
  expect(verify(secret)).toMatchObject({ type: 'webhook.test', data: { webhookId: webhook?.id } });
  expect(received[0]?.headers['webhook-id']).toBe(delivery?.messageId);
  expect(delivery).toMatchObject({ attempt: null, responseBody: 'noted' });
  expect(() => verify(newWebhookSecret())).toThrow('No matching signature found');
  expect(await subgraph.read(viewer, LIST)).toMatchObject({
    tenant: {
      webhooks: {
        edges: [
          {
            node: {
              url,
              deliveries: { edges: [{ node: { id: delivery?.id, eventType: 'webhook.test', status: 200 } }] },
            },
          },
        ],
      },
    },
  });
});

test('after a rotation both secrets verify, and the old one no more once its day is over', async () => {
  const { viewer, tenantId } = await signUpTenant(subgraph);
  const { webhook, secret } = await mutate(viewer, 'createWebhook', { url });
  const webhookId = webhook?.id;
  const { secret: next } = await mutate(viewer, 'rotateWebhookSecret', { webhookId });
  await mutate(viewer, 'testWebhook', { webhookId });
  for (const good of [secret, next]) expect(verify(good)).toMatchObject({ type: 'webhook.test' });
  await subgraph.db.prisma.$transaction(async (tx) => {
    await tx.$queryRaw`SELECT set_config('app.tenant_id', ${tenantId}, true)`;
    await tx.$executeRaw`UPDATE webhooks SET previous_until = now() - interval '1 second'`;
  });
  await mutate(viewer, 'testWebhook', { webhookId });
  expect(verify(next)).toMatchObject({ type: 'webhook.test' });
  expect(() => verify(secret)).toThrow('No matching signature found');
});

test('a target that says 410 is disabled, one that redirects is not followed, and one that leads inside is not called', async () => {
  const { viewer } = await signUpTenant(subgraph);
  const { webhook } = await mutate(viewer, 'createWebhook', { url });
  const webhookId = webhook?.id;
  status = 302;
  expect((await mutate(viewer, 'testWebhook', { webhookId })).delivery).toMatchObject({ status: 302 });
  expect(received).toHaveLength(1);
  status = 410;
  expect((await mutate(viewer, 'testWebhook', { webhookId })).delivery).toMatchObject({ status: 410 });
  expect(await mutate(viewer, 'testWebhook', { webhookId })).toMatchObject({ userErrors: [{ code: 'CONFLICT' }] });
  const inside = await mutate(viewer, 'createWebhook', { url: 'http://inside.example/' });
  const { delivery } = await mutate(viewer, 'testWebhook', { webhookId: inside.webhook?.id });
  expect(delivery?.failure).toContain('inside.example leads to 10.0.0.1, which is no public address');
  expect(received).toHaveLength(2);
});

test.each([
  'http://127.0.0.2/',
  'https://hook.example/',
  'http://user@hook.example/',
  'nonsense',
  `http://${'x'.repeat(2_000)}/`,
])('a webhook to %s is refused with what was wanted', async (wrong) => {
  const { viewer } = await signUpTenant(subgraph);
  expect(await mutate(viewer, 'createWebhook', { url: wrong })).toMatchObject({
    webhook: null,
    secret: null,
    userErrors: [{ code: 'INVALID', path: ['url'] }],
  });
});

test('another tenant neither sees, tests, rotates nor deletes a webhook; its own deletes it', async () => {
  const { viewer } = await signUpTenant(subgraph);
  const { viewer: foreign } = await signUpTenant(subgraph);
  const { webhook } = await mutate(viewer, 'createWebhook', { url });
  const input = { webhookId: webhook?.id };
  for (const name of ['testWebhook', 'rotateWebhookSecret', 'enableWebhook', 'deleteWebhook']) {
    expect(await mutate(foreign, name, input)).toMatchObject({ userErrors: [{ code: 'NOT_FOUND' }] });
  }
  expect(await subgraph.read(foreign, 'query ($id: ID!) { webhook(id: $id) { url } }', { id: webhook?.id })).toEqual({
    webhook: null,
  });
  expect(await subgraph.read(foreign, LIST)).toEqual({ tenant: { webhooks: { edges: [] } } });
  expect(received).toEqual([]);
  expect(await mutate(viewer, 'deleteWebhook', input)).toEqual({ deletedWebhookId: webhook?.id, userErrors: [] });
  expect(await mutate(viewer, 'deleteWebhook', input)).toMatchObject({ userErrors: [{ code: 'NOT_FOUND' }] });
});

test('of calls with one idempotency key at once, one creates the webhook and has its secret', async () => {
  const { viewer } = await signUpTenant(subgraph);
  const input = { url, idempotencyKey: 'k' };
  const answers = await Promise.all(Array.from({ length: 20 }, () => mutate(viewer, 'createWebhook', input)));
  expect(new Set(answers.map(({ webhook }) => webhook?.id)).size).toBe(1);
  expect(answers.filter(({ secret }) => secret !== null)).toHaveLength(1);
});

test('a delivery is made again under its message id with the same body, by its own tenant alone', async () => {
  const { viewer } = await signUpTenant(subgraph);
  const { viewer: foreign } = await signUpTenant(subgraph);
  const { webhook, secret } = await mutate(viewer, 'createWebhook', { url });
  status = 500;
  const { delivery: failed } = await mutate(viewer, 'testWebhook', { webhookId: webhook?.id });
  const input = { deliveryId: failed?.id };
  expect(await mutate(foreign, 'redeliverWebhook', input)).toMatchObject({
    delivery: null,
    userErrors: [{ code: 'NOT_FOUND', path: ['deliveryId'] }],
  });
  expect(received).toHaveLength(1);
  status = 200;
  const { delivery } = await mutate(viewer, 'redeliverWebhook', input);
  expect(delivery).toMatchObject({ status: 200, attempt: null, messageId: failed?.messageId });
  expect(delivery?.id).not.toBe(failed?.id);
  expect(received.map(({ headers }) => headers['webhook-id'])).toEqual([failed?.messageId, failed?.messageId]);
  expect(received[1]?.body).toBe(received[0]?.body);
  expect(verify(secret)).toMatchObject({ type: 'webhook.test' });
});

test('a disabled webhook is sent nothing until somebody enables it, which the audit log tells', async () => {
  const { viewer, tenantId } = await signUpTenant(subgraph);
  const { webhook } = await mutate(viewer, 'createWebhook', { url });
  const webhookId = webhook?.id;
  status = 410;
  const { delivery } = await mutate(viewer, 'testWebhook', { webhookId });
  const again = await mutate(viewer, 'redeliverWebhook', { deliveryId: delivery?.id });
  expect(again).toMatchObject({ delivery: null, userErrors: [{ code: 'CONFLICT' }] });
  status = 200;
  expect(await mutate(viewer, 'enableWebhook', { webhookId })).toMatchObject({ webhook: { disabledAt: null } });
  expect((await mutate(viewer, 'testWebhook', { webhookId })).delivery).toMatchObject({ status: 200 });
  const LOG = '{ tenant { auditEvents(first: 2) { edges { node { action actorKind actorId } } } } }';
  expect(await subgraph.read(viewer, LOG)).toMatchObject({
    tenant: {
      auditEvents: {
        edges: [
          { node: { action: 'enableWebhook', actorKind: 'ACCOUNT' } },
          { node: { action: 'disableWebhook', actorKind: 'PLATFORM', actorId: encodeGlobalId('Tenant', tenantId) } },
        ],
      },
    },
  });
});

test.each(['testWebhook', 'redeliverWebhook'])('of %s calls with one idempotency key, one sends', async (name) => {
  const { viewer } = await signUpTenant(subgraph);
  const { webhook } = await mutate(viewer, 'createWebhook', { url });
  const { delivery } = await mutate(viewer, 'testWebhook', { webhookId: webhook?.id });
  const input =
    name === 'testWebhook'
      ? { webhookId: webhook?.id, idempotencyKey: 'k' }
      : { deliveryId: delivery?.id, idempotencyKey: 'k' };
  received.length = 0;
  const answers = await Promise.all(Array.from({ length: 100 }, () => mutate(viewer, name, input)));
  expect(received).toHaveLength(1);
  const sent = await mutate(viewer, name, input);
  expect(sent.delivery).toMatchObject({ status: 200 });
  for (const answer of answers) {
    if (answer.delivery === null) expect(answer.userErrors).toMatchObject([{ code: 'CONFLICT' }]);
    else expect(answer.delivery.id).toBe(sent.delivery?.id);
  }
  expect(received).toHaveLength(1);
});

test('a sealed secret opens under its own pepper alone, and not once it was altered', () => {
  const secret = newWebhookSecret();
  const sealed = sealWebhookSecret('pepper', secret);
  expect(openWebhookSecret('pepper', sealed)).toBe(secret);
  expect(sealed.toString('latin1')).not.toContain(secret.slice(6));
  expect(() => openWebhookSecret('another', sealed)).toThrow();
  sealed[sealed.length - 1] = (sealed.at(-1) ?? 0) ^ 1;
  expect(() => openWebhookSecret('pepper', sealed)).toThrow();
});
