import { serverAudits } from 'graphql-http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestGraph, type TestGraph } from './test-graph.ts';

let graph: TestGraph;

beforeAll(async () => {
  graph = await startTestGraph();
});
afterAll(async () => {
  await graph[Symbol.asyncDispose]();
});

// Each audit is one requirement of the GraphQL over HTTP specification; those that begin with MAY are choices.
const AUDITS = serverAudits({
  url: () => `${graph.gateway.url}/graphql`,
  fetchFn: fetch,
}).filter(({ name }) => !name.startsWith('MAY '));

test.for(AUDITS.map((audit) => [`${audit.id} ${audit.name}`, audit] as const))(
  'the GraphQL over HTTP audit passes: %s',
  async ([, audit]) => {
    const result = await audit.fn();
    expect(result.status === 'ok' ? '' : result.reason).toBe('');
  },
);

test('the audit holds what it should', () => {
  expect(AUDITS.length).toBeGreaterThan(30);
});
