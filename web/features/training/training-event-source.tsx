import type { Client, CombinedError } from 'urql';
import { readFragment } from '../../src/generated/fragment-masking.ts';
import { graphql } from '../../src/generated/gql.ts';
import type { StreamEnd, TrainingEventSource } from './follow-training.ts';

const EVENT = graphql(`
  fragment TrainingEvent on TrainingEvent {
    sequence
    at
    kind
    phase
    message
    epoch {
      epoch
      epochs
      loss
      ndcgAt10
      recallAt10
      samplesPerSecond
      etaMs
    }
    evaluation {
      name
      heldOut
      metrics {
        ndcgAt10
        recallAt10
        hitRateAt10
        coverageAt10
      }
    }
  }
`);

const STORED_EVENTS = graphql(`
  query StoredTrainingEvents($runId: ID!, $first: Int!, $afterSequence: Int!) {
    trainingRun(id: $runId) {
      id
      events(first: $first, afterSequence: $afterSequence) {
        ...TrainingEvent
      }
    }
  }
`);

const LIVE_EVENTS = graphql(`
  subscription TrainingProgress($runId: ID!, $afterSequence: Int) {
    trainingProgress(runId: $runId, afterSequence: $afterSequence) {
      ...TrainingEvent
      run {
        id
        status
        phase
        failure
        startedAt
        finishedAt
      }
    }
  }
`);

const PAGE = 100;
// Not UNAUTHENTICATED: a stream outlives its access token, and goes on with the next one.
const FINAL_CODES: readonly unknown[] = ['NOT_FOUND', 'FORBIDDEN', 'BAD_USER_INPUT'];

/** A run's events by the API: stored ones over HTTP, live ones over the socket. */
export function trainingEventSource(client: Client, runId: string): TrainingEventSource {
  return {
    async load(afterSequence) {
      const variables = { runId, first: PAGE, afterSequence };
      const { data, error } = await client.query(STORED_EVENTS, variables, { requestPolicy: 'network-only' });
      if (error) throw error;
      return readFragment(EVENT, data?.trainingRun?.events ?? []);
    },
    stream: (afterSequence, onEvent, signal) =>
      new Promise<StreamEnd>((resolve) => {
        let subscription: { unsubscribe: () => void } | null = null;
        let ended = false;
        const end = (reason: StreamEnd): void => {
          ended = true;
          subscription?.unsubscribe();
          signal.removeEventListener('abort', abort);
          resolve(reason);
        };
        const abort = (): void => end({ kind: 'ended' });
        signal.addEventListener('abort', abort);
        subscription = client
          .subscription(LIVE_EVENTS, { runId, afterSequence })
          .subscribe(({ data, error, hasNext }) => {
            if (data) onEvent(readFragment(EVENT, data.trainingProgress));
            if (error) end(endOf(error));
            else if (!hasNext) end({ kind: 'ended' });
          });
        if (ended) subscription.unsubscribe();
      }),
  };
}

function endOf(error: CombinedError): StreamEnd {
  const final = error.graphQLErrors.find(({ extensions }) => FINAL_CODES.includes(extensions.code));
  return final ? { kind: 'refused', message: final.message } : { kind: 'lost' };
}
