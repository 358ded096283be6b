import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { SUBGRAPHS } from '../subgraphs.ts';
import { CALM, compareAll, createWorld, randomOperations, withoutPositions } from './test-comparison.ts';
import { composeTestFederation, FEDERATION_SDL } from './test-federation.ts';

test('2,000 operations over our own graph are answered byte for byte as by the stock executor', {
  timeout: 300_000,
}, async () => {
  const read = (path: string) => readFile(new URL(path, import.meta.url), 'utf8');
  const contracts = await Promise.all(
    SUBGRAPHS.map(async (name) => [name, await read(`../../../subgraphs/${name}/schema.graphql`)]),
  );
  const world = createWorld(await read('../../supergraph.graphql'), Object.fromEntries(contracts));
  const { differences, counts } = await compareAll(world, randomOperations(world, { count: 2_000, seed: 1_000_000 }));
  expect(differences.slice(0, 3)).toEqual([]);
  expect(differences).toHaveLength(0);
  expect(counts.fallbacks).toBe(0);
  expect(counts.withErrors).toBeGreaterThan(300);
  expect(counts.fetches).toBeLessThanOrEqual(counts.stockFetches);
});

test('so are 1,000 over a graph of abstract types, @requires and @provides', { timeout: 300_000 }, async () => {
  const world = createWorld(composeTestFederation(), FEDERATION_SDL);
  const { differences, counts } = await compareAll(world, randomOperations(world, { count: 1_000, seed: 2_000_000 }));
  // Where an entity before it could not be asked for, the stock executor gives an error the path of another entity.
  const misplaced = differences.filter(({ wanted, got }) => withoutPositions(wanted) === withoutPositions(got));
  expect(differences.filter((difference) => !misplaced.includes(difference)).slice(0, 3)).toEqual([]);
  expect(misplaced.length).toBeLessThanOrEqual(2);
  expect(counts.fallbacks).toBe(0);
});

test('an error has the path of every place where its entity stands, though the entity was asked for once', async () => {
  const world = createWorld(composeTestFederation(), FEDERATION_SDL);
  const operation = {
    query: '{ people { id twin: likes { id } likes { id ... on Film { minutes } } } }',
    variables: {},
  };
  const planned = world.prepare(operation);
  const storm = { ...CALM, seed: 11, errors: 400 };
  const [ours, stock] = [await world.ours(planned, operation, storm), await world.stock(planned, operation, storm)];
  expect(ours).toEqual(stock);
});
