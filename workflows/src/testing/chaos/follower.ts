import { setTimeout } from 'node:timers/promises';
import type { RandomState } from '@kindred/core/random';
import { encodeGlobalId } from '@kindred/domain/ids';
import type { Viewer } from '@kindred/domain/viewer';
import type { SubgraphClient } from '@kindred/testing/subgraph-client';
import type { TrainModelInput } from '../../contract.ts';
import { between } from './draw.ts';

/** A subscriber who leaves again and again and comes back for what is behind the last event that it saw. */
export interface Follower extends AsyncDisposable {
  /** The sequences as they came. */
  sequences: number[];
  resumed: number;
  /** Resolves behind the run's last event. */
  finished: Promise<void>;
}

const SUBSCRIPTION = `subscription ($runId: ID!, $after: Int!) {
  trainingProgress(runId: $runId, afterSequence: $after) { sequence kind }
}`;

interface Progress {
  trainingProgress: { sequence: number; kind: string };
}

const PAUSE_MS = 200;

export function startFollower(
  subgraph: SubgraphClient,
  viewer: Viewer,
  { input, random }: { input: TrainModelInput; random: RandomState },
): Follower {
  const stopping = new AbortController();
  const sequences: number[] = [];
  const follower = { sequences, resumed: -1 };
  const runId = encodeGlobalId('TrainingRun', input.runId);

  /** @returns whether the last event was seen. */
  const followOnce = async (): Promise<boolean> => {
    follower.resumed += 1;
    const leaving = new AbortController();
    const leaveAfter = between(random, 3, 12);
    const variables = { runId, after: sequences.at(-1) ?? 0 };
    const signal = AbortSignal.any([leaving.signal, stopping.signal]);
    let count = 0;
    try {
      for await (const { data } of subgraph.follow<Progress>(viewer, SUBSCRIPTION, { variables, signal })) {
        if (!data) return false;
        sequences.push(data.trainingProgress.sequence);
        if (data.trainingProgress.kind === 'FINISHED') return true;
        count += 1;
        if (count === leaveAfter) return false;
      }
    } catch (error) {
      // The server, or what it stands on, is away: the subscriber comes back.
      if (!(error instanceof Error)) throw error;
    } finally {
      leaving.abort();
    }
    return false;
  };

  const run = async () => {
    while (!stopping.signal.aborted && !(await followOnce())) {
      await setTimeout(PAUSE_MS, null, { signal: stopping.signal }).catch(() => null);
    }
  };
  const finished = run();
  return Object.assign(follower, {
    finished,
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await finished;
    },
  });
}
