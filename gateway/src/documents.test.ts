import { hash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readManifest } from './manifest.ts';
import { overEventStreams, overSockets, refusalOf } from './test-clients.ts';
import { startTestGraph, type TestGraph } from './test-graph.ts';

const QUERY = 'query Viewer { viewer { scopes } }';
const OWN = '{ viewer { __typename scopes } }';

let graph: TestGraph;
const keys = { publishable: `kp_${'e1'.repeat(16)}`, secret: `ks_${'e2'.repeat(16)}` };

beforeAll(async () => {
  const file = join(tmpdir(), `manifest-${process.pid}.json`);
  await writeFile(file, JSON.stringify({ [`sha256:${hash('sha256', QUERY)}`]: QUERY }));
  graph = await startTestGraph({ persistedDocuments: [file] });
  graph.world.apiKeys.set(keys.publishable, 'PUBLISHABLE');
  graph.world.apiKeys.set(keys.secret, 'SECRET');
});
afterAll(async () => {
  await graph[Symbol.asyncDispose]();
});

async function ask(apiKey: string | undefined, body: object) {
  const response = await fetch(`${graph.gateway.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(apiKey !== undefined && { 'x-api-key': apiKey }) },
    body: JSON.stringify(body),
  });
  const answer = (await response.json()) as {
    data?: object;
    errors?: { message: string; extensions: { code: string } }[];
  };
  return { status: response.status, data: answer.data, code: answer.errors?.[0]?.extensions.code };
}

const automatic = (query: string) => ({ persistedQuery: { version: 1, sha256Hash: hash('sha256', query) } });

test.for([
  ['in full', { query: QUERY }],
  ['in another layout', { query: 'query   Viewer {\n  viewer { scopes, } # what it may do\n}' }],
  ['by its id', { documentId: `sha256:${hash('sha256', QUERY)}` }],
  ['by its hash', { extensions: automatic(QUERY) }],
] as const)('a publishable key runs a published document %s', async ([, body]) => {
  expect(await ask(keys.publishable, body)).toMatchObject({
    status: 200,
    data: { viewer: { scopes: expect.any(Array) } },
  });
});

test.for([
  ['in full', { query: OWN }],
  ['that adds to a published one', { query: `${QUERY} query Other { __typename }`, operationName: 'Viewer' }],
  ['with its hash', { query: OWN, extensions: automatic(OWN) }],
  ['by a hash that a secret key has made known', { extensions: automatic(OWN) }],
  ['that is no GraphQL', { query: '"' }],
] as const)('a publishable key is refused another document %s', async ([, body]) => {
  await ask(keys.secret, { query: OWN, extensions: automatic(OWN) });
  expect(await ask(keys.publishable, body)).toEqual({ status: 403, data: undefined, code: 'FORBIDDEN' });
});

test('so is it over sockets and streams', async () => {
  const query = 'subscription { trainingProgress(runId: "run_1") { sequence } }';
  for (const subscribe of [overSockets, overEventStreams]) {
    const subscribed = subscribe(graph.gateway.url, { query, authorization: `Bearer ${keys.publishable}` });
    expect(await refusalOf(subscribed)).toContain('published documents only');
  }
  expect(graph.world.openStreams).toBe(0);
});

test('a secret key sends a document with its hash once, and by its hash alone from then on', async () => {
  const query = '{ viewer { mine: scopes } }';
  expect(await ask(keys.secret, { extensions: automatic(query) })).toMatchObject({ code: 'PERSISTED_QUERY_NOT_FOUND' });
  expect(await ask(keys.secret, { query, extensions: automatic(query) })).toMatchObject({ status: 200 });
  expect(await ask(keys.secret, { extensions: automatic(query) })).toMatchObject({
    data: { viewer: { mine: expect.any(Array) } },
  });
});

test('who has no credential leaves no document behind', async () => {
  const query = '{ viewer { anonymous: scopes } }';
  expect(await ask(undefined, { query, extensions: automatic(query) })).toMatchObject({ status: 200 });
  expect(await ask(undefined, { extensions: automatic(query) })).toMatchObject({ code: 'PERSISTED_QUERY_NOT_FOUND' });
});

test.for([
  ['a hash of another document', { query: OWN, extensions: automatic(QUERY + ' ') }],
  ['a hash of another version', { extensions: { persistedQuery: { version: 2, sha256Hash: hash('sha256', OWN) } } }],
  ['an id that is no hash', { documentId: 'sha256:abc' }],
  ['no document', {}],
] as const)('%s is refused', async ([, body]) => {
  expect(await ask(keys.secret, body)).toMatchObject({ status: 400, code: 'BAD_REQUEST' });
});

test('published documents are planned before anybody asks', async () => {
  const metrics = await (await fetch(`${graph.gateway.url}/metrics`)).text();
  const planned = Number(/kindred_gateway_plans_cached\{[^}]*\} (\d+)/.exec(metrics)?.[1]);
  expect(planned).toBeGreaterThanOrEqual((await readManifest([])).size);
});

test('every document for browsers fits the schema', async () => {
  const { lines } = graph;
  expect((await readManifest([])).size).toBeGreaterThanOrEqual(4);
  expect(lines.filter((line) => line.includes('does not fit the schema'))).toEqual([]);
});

test('a manifest with a document under another hash is refused, with its name', async () => {
  const file = join(tmpdir(), `wrong-manifest-${process.pid}.json`);
  await writeFile(file, JSON.stringify({ [`sha256:${'0'.repeat(64)}`]: QUERY }));
  await expect(readManifest([file])).rejects.toThrow(`${file}: sha256:0000`);
});
