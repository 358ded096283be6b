import { readFile } from 'node:fs/promises';
import { newId } from '@kindred/domain/ids';
import { expect, test } from 'vitest';
import { overEventStreams, overSockets, post, refusalOf } from '../test-clients.ts';
import { startTestGraph } from '../test-graph.ts';

const PUBLISHED = await readFile(new URL('../../documents/item.graphql', import.meta.url), 'utf8');

/** New to every gateway, and planned for tens of milliseconds. */
function newQuery(): string {
  const field = 'recommend(input: {}) { edges { node { title } } modelVersion { model { name tenant { name } } } }';
  return `{ ${Array.from({ length: 20 }, (_, index) => `a${index}: ${field}`).join(' ')} } # ${newId('Tenant')}`;
}

test('whoever sends what cannot be planned in time is told so, and waits before more is read; others do not', async () => {
  // No operation is planned in this time, and what is published was planned at start, however long it took.
  await using graph = await startTestGraph({ planBudgetMs: 0 });
  const headers = { authorization: `Bearer ${await graph.signSession()}` };
  const ask = (query: string, of = headers) => post(graph.gateway.url, query, { headers: of });
  const slow = await ask(newQuery());
  expect(slow).toMatchObject({ status: 400, errors: [{ extensions: { code: 'OPERATION_TOO_COMPLEX' } }] });
  expect(await ask(newQuery())).toMatchObject({ status: 429 });
  const other = { authorization: `Bearer ${await graph.signSession({ tenant: newId('Tenant') })}` };
  expect(await ask(newQuery(), other)).toMatchObject({ status: 400 });
  const known = await post(graph.gateway.url, PUBLISHED, { headers, variables: { externalId: '7' } });
  expect(known).toMatchObject({ status: 200, data: expect.objectContaining({ item: null }) });
  expect(graph.world.calls).toContainEqual(expect.objectContaining({ subgraph: 'catalog', field: 'item' }));
});

test('so it is over sockets and streams', async () => {
  await using graph = await startTestGraph({ planBudgetMs: 0 });
  for (const subscribe of [overSockets, overEventStreams]) {
    const authorization = `Bearer ${await graph.signSession({ tenant: newId('Tenant') })}`;
    const runs = Array.from({ length: 40 }, (_, index) => `a${index}: run { model { name tenant { name } } }`).join(
      ' ',
    );
    const query = `subscription { trainingProgress(runId: "run_1") { sequence ${runs} } } # ${newId('Tenant')}`;
    expect(await refusalOf(subscribe(graph.gateway.url, { query, authorization }))).toContain('OPERATION_TOO_COMPLEX');
  }
});
