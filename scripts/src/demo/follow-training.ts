import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { StopReason } from '../report-error.ts';
import type { Api } from './api.ts';

const PROGRESS = `subscription TrainingProgress($runId: ID!, $afterSequence: Int) {
  trainingProgress(runId: $runId, afterSequence: $afterSequence) {
    sequence kind message
    epoch { epoch epochs loss ndcgAt10 recallAt10 }
    run { status }
  }
}`;

const LONGEST_SILENCE_MS = 10 * 60_000;
const RECONNECT_PAUSE_MS = 1_000;

interface TrainingEvent {
  sequence: number;
  kind: string;
  message: string;
  epoch: { epoch: number; epochs: number; loss: number; ndcgAt10: number; recallAt10: number } | null;
}

/**
 * Prints a training's events as they happen until its last one, over as many reconnects as it takes.
 * @throws StopReason when nothing is heard of it for ten minutes.
 */
export async function followTraining(
  api: Api,
  { runId, credential, say }: { runId: string; credential: string; say: (line: string) => void },
): Promise<void> {
  const client = createClient({
    url: api.httpUrl.replace(/^http/, 'ws'),
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${credential}` },
    retryAttempts: 0,
  });
  let afterSequence = 0;
  let heardAt = performance.now();
  let complaint = 'it ended early';
  try {
    while (performance.now() - heardAt < LONGEST_SILENCE_MS) {
      api.signal.throwIfAborted();
      const events = client.iterate<{ trainingProgress: TrainingEvent }>({
        query: PROGRESS,
        variables: { runId, afterSequence },
      });
      try {
        for await (const { data, errors } of abortable(events, api.signal)) {
          if (!data) throw new Error(errors?.[0]?.message ?? 'an empty event');
          const event = data.trainingProgress;
          afterSequence = event.sequence;
          heardAt = performance.now();
          say(describeEvent(event));
          if (event.kind === 'FINISHED') return;
        }
      } catch (error) {
        complaint = describeComplaint(error);
      }
      await sleep(RECONNECT_PAUSE_MS, undefined, { signal: api.signal });
    }
  } finally {
    await client.dispose();
  }
  throw new StopReason(`Nothing was heard of the training for 10 minutes: ${complaint}.`);
}

async function* abortable<T>(events: AsyncIterableIterator<T>, signal: AbortSignal): AsyncGenerator<T> {
  const end = (): void => void events.return?.();
  signal.addEventListener('abort', end, { once: true });
  try {
    yield* events;
  } finally {
    signal.removeEventListener('abort', end);
  }
}

/** graphql-ws throws errors, close events and lists of GraphQL errors. */
function describeComplaint(error: unknown): string {
  if (Array.isArray(error)) return error.map((entry: { message?: string }) => entry.message ?? 'error').join(', ');
  if (typeof error === 'object' && error !== null) {
    const { message, reason, code } = error as { message?: string; reason?: string; code?: number };
    return message || reason || `the socket closed with ${code}`;
  }
  return String(error);
}

function describeEvent({ epoch, message }: TrainingEvent): string {
  if (epoch === null) return message;
  const width = String(epoch.epochs).length;
  const number = `${String(epoch.epoch).padStart(width)}/${epoch.epochs}`;
  return `epoch ${number}   loss ${epoch.loss.toFixed(4)}   NDCG@10 ${epoch.ndcgAt10.toFixed(4)}   recall@10 ${epoch.recallAt10.toFixed(4)}`;
}
