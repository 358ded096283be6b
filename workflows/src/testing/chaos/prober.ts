import { setTimeout } from 'node:timers/promises';
import type { Viewer } from '@kindred/domain/viewer';
import type { SubgraphClient } from '@kindred/testing/subgraph-client';

export interface ProberFigures {
  asked: number;
  failed: number;
  slowestMs: number;
}

/** Asks for recommendations again and again until disposed of. */
export interface Prober extends AsyncDisposable {
  figures: ProberFigures;
  /** Why the first few questions that were not answered were not. */
  failures: string[];
}

const QUERY = `query ($user: String!) {
  recommend(input: { user: { externalId: $user } }, first: 5) { status edges { rank } }
}`;

interface Answer {
  recommend: { status: string; edges: { rank: number }[] };
}

const PAUSE_MS = 50;
/** Longer than this a front end does not wait. */
const LONGEST_MS = 10_000;
const USERS = 60;
const KEPT_FAILURES = 3;

/** Begins once the first question is answered: with a tenant that can be answered. */
export async function startProber(subgraph: SubgraphClient, viewer: Viewer): Promise<Prober> {
  const stopping = new AbortController();
  const figures: ProberFigures = { asked: 0, failed: 0, slowestMs: 0 };
  const failures: string[] = [];
  const ask = async () => {
    const user = `user-${figures.asked % USERS}`;
    figures.asked += 1;
    const startedAt = performance.now();
    const failure = await Promise.race([askOnce(subgraph, viewer, user), tooLong(stopping.signal)]);
    figures.slowestMs = Math.max(figures.slowestMs, performance.now() - startedAt);
    if (failure === null) return;
    figures.failed += 1;
    if (failures.length < KEPT_FAILURES) failures.push(`${user}: ${failure}`);
  };
  await ask();
  const run = async () => {
    while (!stopping.signal.aborted) {
      await ask();
      await setTimeout(PAUSE_MS, null, { signal: stopping.signal }).catch(() => null);
    }
  };
  const running = run();
  return {
    figures,
    failures,
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await running;
    },
  };
}

/** Why there was no answer with items; null where there was one. */
async function askOnce(subgraph: SubgraphClient, viewer: Viewer, user: string): Promise<string | null> {
  try {
    const { data, errors } = await subgraph.ask<Answer>(viewer, QUERY, { user });
    if (errors !== undefined) return JSON.stringify(errors);
    return (data?.recommend.edges.length ?? 0) > 0 ? null : 'no items';
  } catch (error) {
    return String(error);
  }
}

async function tooLong(signal: AbortSignal): Promise<string | null> {
  return setTimeout(LONGEST_MS, `no answer within ${LONGEST_MS} ms`, { signal }).catch(() => null);
}
