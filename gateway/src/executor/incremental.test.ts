import { readFile } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { parse, validate } from 'graphql';
import { expect, test } from 'vitest';
import { SUBGRAPHS } from '../subgraphs.ts';
import { CALM, createWorld, randomOperations, type World } from './test-comparison.ts';
import { composeContracts, FEDERATION_SDL } from './test-federation.ts';
import { deferSome, isWithin } from './test-parts.ts';
import { Random } from '@kindred/testing/random';

const STORMS = [CALM, { ...CALM, nulls: 150 }, { ...CALM, errors: 60, nulls: 60 }];
// The stubs make another product of an entity that is asked for by another key.
const ONE_KEY = {
  ...FEDERATION_SDL,
  recommendation: FEDERATION_SDL.recommendation.replace(
    '@key(fields: "sku { code region }") { sku: Sku!',
    '@key(fields: "id") { id: ID!',
  ),
};

async function compareParts(world: World, { count, seed }: { count: number; seed: number }) {
  const differences: object[] = [];
  const counts = { inParts: 0, parts: 0, nulls: 0, richer: 0 };
  for (const [index, undeferred] of randomOperations(world, { count, seed }).entries()) {
    const operation = deferSome(undeferred, new Random(seed + index));
    expect(validate(world.executor.schema, parse(operation.query))).toEqual([]);
    const planned = world.prepare(operation);
    if (planned.deferred === undefined) continue;
    counts.inParts += 1;
    const storm = { ...CALM, ...STORMS[index % STORMS.length], seed: index };
    const whole = await world.ours(planned, operation, storm);
    const merged = await world.inParts(planned, operation, storm);
    counts.parts += merged.counts?.partCount ?? 0;
    counts.nulls += merged.counts?.nullCount ?? 0;
    const [wanted, got] = [whole, merged].map(({ data }) => JSON.parse(data ?? 'null') as unknown);
    if (merged.thrown === undefined && isDeepStrictEqual(wanted, got)) continue;
    // An error takes less with it in parts, and a part may know the type of an object that the whole does not know.
    const isRicher = merged.thrown === undefined && isWithin(wanted, got);
    if (isRicher && whole.errors === undefined) counts.richer += 1;
    if (!isRicher) differences.push({ operation, storm, whole, merged });
  }
  return { differences, counts };
}

test('the parts of 500 operations over our own graph are the undeferred answers, put together', {
  timeout: 300_000,
}, async () => {
  const read = (path: string) => readFile(new URL(path, import.meta.url), 'utf8');
  const contracts = await Promise.all(
    SUBGRAPHS.map(async (name) => [name, await read(`../../../subgraphs/${name}/schema.graphql`)]),
  );
  const world = createWorld(await read('../../supergraph.graphql'), Object.fromEntries(contracts));
  const { differences, counts } = await compareParts(world, { count: 500, seed: 4_000_000 });
  expect(differences.slice(0, 2)).toEqual([]);
  expect(counts.richer).toBeLessThanOrEqual(10);
  expect(counts.inParts).toBeGreaterThan(350);
  expect(counts.parts).toBeGreaterThan(1_000);
  expect(counts.nulls).toBeGreaterThan(5);
});

test('so are those of 300 over a graph of abstract types, @requires and @provides', { timeout: 300_000 }, async () => {
  const world = createWorld(composeContracts(ONE_KEY), ONE_KEY);
  const { differences, counts } = await compareParts(world, { count: 300, seed: 5_000_000 });
  expect(differences.slice(0, 2)).toEqual([]);
  expect(counts.richer).toBeLessThanOrEqual(10);
  expect(counts.parts).toBeGreaterThan(1_000);
});
