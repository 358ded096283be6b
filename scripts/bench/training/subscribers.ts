import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { waitUntil } from '../../src/wait-until.ts';

/** Sockets that follow one run through the gateway, as dashboards do. */
export interface Subscribers extends AsyncDisposable {
  /** From the worker's clock to the arrival at each subscriber, in milliseconds, since `forget` was called last. */
  lagsMs: number[];
  /** Events that did not follow the last one that the subscriber got, and answers without an event. */
  wrong: number;
  /** Subscriptions that ended, or failed, before they were closed. */
  ended: number;
  forget(): void;
  /** Resolves when each has got this event. @throws Error when one has not in a minute */
  untilAt(sequence: number): Promise<void>;
}

const SUBSCRIPTION = `subscription TrainingProgress($runId: ID!, $afterSequence: Int) {
  trainingProgress(runId: $runId, afterSequence: $afterSequence) {
    sequence at kind message epoch { epoch epochs loss ndcgAt10 recallAt10 samplesPerSecond }
    run { id status phase failure startedAt finishedAt }
  }
}`;
/** Each has this long to connect before the next does: a dashboard's tabs do not open in one moment. */
const CONNECT_EVERY_MS = 10;
const CONNECTED_WITHIN_MS = 60_000;

interface Event {
  sequence: number;
  at: string;
}

export async function openSubscribers(options: {
  count: number;
  url: string;
  credential: string;
  runId: string;
  afterSequence: number;
}): Promise<Subscribers> {
  const { count, credential, runId, afterSequence } = options;
  const subscribers = { lagsMs: [] as number[], wrong: 0, ended: 0 };
  let isClosing = false;
  const countEnded = (): void => {
    if (!isClosing) subscribers.ended += 1;
  };
  const clients: ReturnType<typeof createClient>[] = [];
  const lasts = Array.from({ length: count }, () => afterSequence);
  for (const index of lasts.keys()) {
    const client = createClient({
      url: options.url.replace(/^http/, 'ws'),
      webSocketImpl: WebSocket,
      retryAttempts: 0,
      connectionParams: { authorization: `Bearer ${credential}` },
    });
    clients.push(client);
    client.subscribe<{ trainingProgress: Event }>(
      { query: SUBSCRIPTION, variables: { runId, afterSequence } },
      {
        next: ({ data }) => {
          const arrivedAt = Date.now();
          if (data?.trainingProgress.sequence !== (lasts[index] ?? 0) + 1) subscribers.wrong += 1;
          if (!data) return;
          lasts[index] = data.trainingProgress.sequence;
          subscribers.lagsMs.push(arrivedAt - Date.parse(data.trainingProgress.at));
        },
        error: countEnded,
        complete: countEnded,
      },
    );
    await sleep(CONNECT_EVERY_MS);
  }
  return Object.assign(subscribers, {
    forget: () => {
      subscribers.lagsMs.length = 0;
    },
    untilAt: async (sequence: number) => {
      const isThere = async () => lasts.every((last) => last >= sequence);
      const what = `Event ${sequence} at each of ${count} subscribers`;
      await waitUntil(isThere, { what, timeoutMs: CONNECTED_WITHIN_MS, intervalMs: 50 });
    },
    async [Symbol.asyncDispose]() {
      isClosing = true;
      for (const client of clients) await client.dispose();
    },
  });
}
