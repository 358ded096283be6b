import { isDeepStrictEqual } from 'node:util';
import type { ExecutionResult } from 'graphql';
import { expect, test } from 'vitest';
import type { AnsweredPart, ExecutedInParts } from './incremental.ts';
import { CALM, randomOperations } from './test-comparison.ts';
import { deferSome, isWithin, mergeParts } from './test-parts.ts';
import { Random } from '@kindred/testing/random';
import { readGraph, serveSockets } from './test-sockets.ts';

const SEED = 6_000_000;

interface Message extends ExecutionResult {
  incremental?: { path: (string | number)[]; label?: string; data: object | null }[];
  hasNext?: boolean;
}

/** The messages of a socket as the executor's own parts. */
async function readParts(messages: readonly Message[]): Promise<ExecutedInParts> {
  const [first, ...later] = messages;
  if (first === undefined) throw new Error('Wanted an answer, got none');
  const rest = (async function* () {
    for (const { incremental = [], hasNext = false } of later) {
      const parts = incremental.map(
        ({ path, label, data }): AnsweredPart => ({
          path,
          label,
          result: { data: data as Record<string, unknown> | null },
          objectCount: 0,
        }),
      );
      yield { parts, hasNext };
    }
    return undefined;
  })();
  return { first: { result: first, objectCount: 0 }, rest };
}

test('the parts of 60 operations over a socket are the undeferred answers, put together', {
  timeout: 300_000,
}, async () => {
  const graph = await readGraph();
  const { world } = graph;
  await using sockets = await serveSockets(graph);
  const differences: object[] = [];
  const counts = { parts: 0, refused: 0 };
  for (const [index, undeferred] of randomOperations(world, { count: 60, seed: SEED }).entries()) {
    const operation = deferSome(undeferred, new Random(SEED + index));
    const messages: Message[] = [];
    try {
      for await (const message of sockets.client.iterate(operation)) messages.push(message as Message);
    } catch {
      // Larger, or dearer, than an operation may be.
      counts.refused += 1;
      continue;
    }
    if (messages.length > 1) expect(messages.map(({ hasNext }) => hasNext).indexOf(false)).toBe(messages.length - 1);
    const whole = await world.ours(world.prepare(operation), operation, { ...CALM, seed: 0 });
    const merged = await mergeParts(await readParts(messages));
    counts.parts += messages.flatMap(({ incremental = [] }) => incremental).length;
    const wanted = JSON.parse(whole.data ?? 'null') as unknown;
    if (!isDeepStrictEqual(wanted, merged.data) && !isWithin(wanted, merged.data)) {
      differences.push({ operation, messages, whole });
    }
  }
  expect(differences.slice(0, 2)).toEqual([]);
  expect(counts.parts).toBeGreaterThan(100);
  expect(counts.refused).toBeLessThan(20);
  expect(sockets.load.stats().underWay).toBe(0);
  expect(sockets.spent.filter((how) => how === 'settled')).toHaveLength(60 - counts.refused);
});
