import { type ApiClient, dataOf } from '../support/api-client.ts';

/** A training event with fields of two other subgraphs on it. */
export interface ProgressEvent {
  sequence: number;
  kind: string;
  epoch: { epoch: number; loss: number; ndcgAt10: number } | null;
  run: { status: string; model: { name: string; tenant: { name: string; catalog: { itemCount: number } } } };
}

export const TRAINING_PROGRESS = `subscription TrainingProgress($runId: ID!, $afterSequence: Int) {
  trainingProgress(runId: $runId, afterSequence: $afterSequence) {
    sequence kind epoch { epoch loss ndcgAt10 }
    run { status model { name tenant { name catalog { itemCount } } } }
  }
}`;

/** The events of a run after `afterSequence`, until its last one or `limit` of them. */
export async function collectEvents(
  client: ApiClient,
  options: { transport: 'overSocket' | 'overSse'; runId: string; afterSequence: number; limit?: number },
): Promise<ProgressEvent[]> {
  const { transport, runId, afterSequence, limit = Number.POSITIVE_INFINITY } = options;
  const events: ProgressEvent[] = [];
  const operation = { query: TRAINING_PROGRESS, variables: { runId, afterSequence } };
  for await (const answer of client[transport]<{ trainingProgress: ProgressEvent }>(operation)) {
    events.push(dataOf(answer).trainingProgress);
    if (events.length >= limit) break;
  }
  return events;
}

/** The newest run of the credential's tenant. */
export async function findNewestRun(client: ApiClient): Promise<{ id: string; status: string; lastSequence: number }> {
  const { trainingRuns } = dataOf(
    await client.ask<{ trainingRuns: { edges: { node: { id: string; status: string; lastSequence: number } }[] } }>({
      query: '{ trainingRuns(first: 1) { edges { node { id status lastSequence } } } }',
    }),
  );
  const [newest] = trainingRuns.edges;
  if (!newest) throw new Error('The tenant has no training run.');
  return newest.node;
}
