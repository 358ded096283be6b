import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestGraph, type TestGraph } from './test-graph.ts';

let graph: TestGraph;

beforeAll(async () => {
  graph = await startTestGraph();
  graph.world.apiKeys.set('kp_00000000000000000000', 'PUBLISHABLE');
  graph.world.apiKeys.set('ks_00000000000000000000', 'SECRET');
});
afterAll(async () => {
  await graph[Symbol.asyncDispose]();
});

const send = (path: string, init: RequestInit) => fetch(`${graph.gateway.url}${path}`, { method: 'POST', ...init });
const SECRET = { 'x-api-key': 'ks_00000000000000000000' };

test('a file of many megabytes goes to its subgraph and back, byte by byte, with who sent it', async () => {
  const body = Buffer.alloc(20_000_000, 'kindred ');
  const response = await send('/files/catalog/echo', { headers: SECRET, body });
  expect(response.status).toBe(200);
  expect(response.headers.get('content-disposition')).toBe('attachment; filename=echo.bin');
  expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  expect(Buffer.from(await response.arrayBuffer()).equals(body)).toBe(true);
});

test('what a subgraph says besides the file stays inside', async () => {
  const response = await send('/files/catalog/echo', { headers: SECRET, body: 'x' });
  expect(response.headers.get('x-tenant')).toBeNull();
});

test.each([
  ['no credential', {}, 401],
  ['a credential that is not known', { 'x-api-key': 'ks_11111111111111111111' }, 401],
  ['a publishable key', { 'x-api-key': 'kp_00000000000000000000' }, 403],
])('with %s no file is passed', async (_name, headers, status) => {
  const response = await send('/files/catalog/echo', { headers, body: 'x' });
  expect(response.status).toBe(status);
  expect(await response.text()).not.toBe('x');
});

test.each(['/files/tenant/echo', '/files/recommendation/echo', '/files/nothing', '/files/catalog/%2e%2e/graphql'])(
  'nothing is behind %s',
  async (path) => {
    const response = await send(path, { headers: SECRET, body: '{}' });
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect(response.status).toBeLessThan(500);
  },
);
