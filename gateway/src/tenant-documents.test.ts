import { hash } from 'node:crypto';
import { decodeGlobalId, encodeGlobalId, newId } from '@kindred/domain/ids';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { overSockets, post, refusalOf } from './test-clients.ts';
import { startTestGraph, type TestGraph } from './test-graph.ts';

const OURS = { publishable: `kp_${'a1'.repeat(16)}`, secret: `ks_${'a2'.repeat(16)}` };
const THEIRS = { publishable: `kp_${'b1'.repeat(16)}`, secret: `ks_${'b2'.repeat(16)}` };
const DOCUMENT = 'query OurShelf { item(externalId: "7") { title } }';
const LAID_OUT = DOCUMENT.replaceAll(' ', '\n  ');
const DOCUMENT_ID = `sha256:${hash('sha256', DOCUMENT)}`;
const SHELF = { item: { title: 'Film 7' } };

let graph: TestGraph;
beforeAll(async () => {
  graph = await startTestGraph();
  const { apiKeys, apiKeyRules, publishedDocuments, tenantId } = graph.world;
  const theirTenantId = newId('Tenant');
  for (const [keys, tenant] of [
    [OURS, tenantId],
    [THEIRS, theirTenantId],
  ] as const) {
    apiKeys.set(keys.publishable, 'PUBLISHABLE').set(keys.secret, 'SECRET');
    for (const key of Object.values(keys)) apiKeyRules.set(key, { tenantId: encodeGlobalId('Tenant', tenant) });
  }
  for (const text of [DOCUMENT, '{item(externalId:"7"){title}}']) {
    publishedDocuments.set(`${tenantId} ${hash('sha256', text)}`, DOCUMENT);
  }
  publishedDocuments.set(`${tenantId} ${hash('sha256', 'query OurShelf{item(externalId:"7"){title}}')}`, DOCUMENT);
});
afterAll(async () => {
  await graph[Symbol.asyncDispose]();
});

afterEach(() => void vi.useRealTimers());

const ask = (apiKey: string, query: string) => post(graph.gateway.url, query, { headers: { 'x-api-key': apiKey } });

async function askById(apiKey: string, documentId: string) {
  const headers = { 'content-type': 'application/json', 'x-api-key': apiKey };
  const response = await fetch(`${graph.gateway.url}/graphql`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ documentId }),
  });
  return { status: response.status, ...((await response.json()) as { data?: unknown }) };
}

test('a publishable key runs what its tenant published, in whatever layout and by its id', async () => {
  for (const query of [DOCUMENT, LAID_OUT]) expect(await ask(OURS.publishable, query)).toMatchObject({ data: SHELF });
  expect(await askById(OURS.publishable, DOCUMENT_ID)).toMatchObject({ data: SHELF });
  expect(await askById(OURS.secret, DOCUMENT_ID)).toMatchObject({ data: SHELF });
});

test('a key of another tenant does not, nor does it see that the document exists', async () => {
  graph.world.calls.length = 0;
  for (const query of [DOCUMENT, LAID_OUT, 'query Unknown { item(externalId: "7") { title } }']) {
    expect(await ask(THEIRS.publishable, query)).toMatchObject({ status: 403 });
  }
  expect(await askById(THEIRS.publishable, DOCUMENT_ID)).toMatchObject({ status: 403 });
  const unknown = await askById(THEIRS.secret, `sha256:${'0'.repeat(64)}`);
  expect(await askById(THEIRS.secret, DOCUMENT_ID)).toEqual(unknown);
  expect(graph.world.calls.filter(({ field }) => field === 'item')).toEqual([]);
});

test('so it is over sockets', async () => {
  const subscribed = overSockets(graph.gateway.url, {
    query: 'subscription { trainingProgress(runId: "run_1") { sequence } }',
    authorization: `Bearer ${OURS.publishable}`,
  });
  expect(await refusalOf(subscribed)).toContain('published documents only');
});

const publish = (documents: string[]) =>
  post(
    graph.gateway.url,
    'mutation ($documents: [String!]!) { publishDocuments(input: { documents: $documents }) { documentIds } }',
    { headers: { 'x-api-key': OURS.secret }, variables: { documents } },
  );

test('what does not fit the schema or the limits is not published', async () => {
  graph.world.calls.length = 0;
  const wrong = [
    '{ nothing }',
    'query A { viewer { scopes } } query B { viewer { scopes } }',
    '{ item(',
    `{ ${Array.from({ length: 100 }, (_, index) => `a${index}: viewer { scopes }`).join(' ')} }`,
  ];
  for (const document of wrong) {
    const { status, errors = [] } = await publish([DOCUMENT, document]);
    expect(status).toBe(400);
    expect(errors).not.toEqual([]);
    for (const { message, extensions } of errors) {
      expect(message).toMatch(/^documents\.1: /);
      expect(extensions.code).toBe('BAD_USER_INPUT');
    }
  }
  expect(graph.world.calls.filter(({ field }) => field === 'publishDocuments')).toEqual([]);
  expect(await publish([DOCUMENT])).toMatchObject({ status: 200, data: { publishDocuments: { documentIds: [] } } });
});

test('what a tenant withdrew is refused 10 s later, of its text, layouts and id, and stays another tenant’s', async () => {
  const { publishedDocuments, tenantId } = graph.world;
  const theirTenant = decodeGlobalId('Tenant', graph.world.apiKeyRules.get(THEIRS.publishable)?.tenantId ?? '');
  const document = 'query Withdrawn { item(externalId: "8") { title } }';
  const documentId = `sha256:${hash('sha256', document)}`;
  const content = 'query Withdrawn{item(externalId:"8"){title}}';
  const digests = [document, content].map((text) => hash('sha256', text));
  for (const tenant of [tenantId, theirTenant]) {
    for (const digest of digests) publishedDocuments.set(`${tenant} ${digest}`, document);
  }
  const statuses = async ({ publishable }: { publishable: string }) => [
    (await ask(publishable, document)).status,
    (await ask(publishable, document.replaceAll(' ', '  '))).status,
    (await askById(publishable, documentId)).status,
  ];
  expect(await statuses(OURS)).toEqual([200, 200, 200]);
  expect(await statuses(THEIRS)).toEqual([200, 200, 200]);
  for (const digest of digests) publishedDocuments.delete(`${tenantId} ${digest}`);
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 10_001 });
  expect(await statuses(OURS)).toEqual([403, 403, 403]);
  expect(await statuses(THEIRS)).toEqual([200, 200, 200]);
});
