import { AppError } from '@kindred/domain/app-error';
import { MessageQueue } from './message-queue.ts';
import { connectRedis, type Redis } from './redis.ts';

export interface EventBus {
  /** Resolves when Redis has taken the message, to how many processes heard it. Nothing is kept for who is not subscribed now. */
  publish(topic: string, message: string): Promise<number>;
  /**
   * What is published to a topic from `ready` on, in order. Ends with `signal` or when returned; fails with AppError
   * UNAVAILABLE when messages may have been lost (the connection broke, or the reader fell too far behind): read the truth again.
   */
  subscribe(topic: string, signal?: AbortSignal): TopicSubscription;
  /** Rejects when Redis does not answer. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

export interface TopicSubscription extends AsyncIterable<string> {
  /** Resolves once nothing published later is missed: subscribe, await this, read the past, then iterate. */
  ready: Promise<void>;
}

// A training run of 1,000 epochs is far below this; a reader so far behind is stuck.
const MAX_QUEUED_MESSAGES = 10_000;

type Readers = Map<string, Set<MessageQueue<string>>>;

/** An event bus over Redis pub/sub: one connection for publishing, one for all subscriptions of this process. */
export function connectEventBus(redisUrl: string): EventBus {
  const readers: Readers = new Map();
  const publisher = connectRedis(redisUrl);
  const subscriber = connectRedis(redisUrl);
  subscriber.on('message', (topic: string, message: string) => {
    for (const queue of readers.get(topic) ?? []) queue.push(message);
  });
  subscriber.on('close', () => {
    const lost = new AppError('UNAVAILABLE', 'Live events were interrupted; subscribe again from the last sequence.');
    for (const queue of [...readers.values()].flatMap((queues) => [...queues])) queue.fail(lost);
    readers.clear();
  });
  return {
    publish: (topic, message) => publisher.publish(topic, message),
    subscribe: (topic, signal) => subscribe({ readers, subscriber }, topic, signal),
    ping: async () => {
      await Promise.all([publisher.ping(), subscriber.ping()]);
    },
    close: async () => {
      for (const queue of [...readers.values()].flatMap((queues) => [...queues])) queue.end();
      publisher.disconnect();
      subscriber.disconnect();
    },
  };
}

function subscribe(
  { readers, subscriber }: { readers: Readers; subscriber: Redis },
  topic: string,
  signal?: AbortSignal,
): TopicSubscription {
  const queue = new MessageQueue<string>({
    capacity: MAX_QUEUED_MESSAGES,
    onEnd: () => {
      const queues = readers.get(topic);
      if (queues?.delete(queue) !== true || queues.size > 0) return;
      readers.delete(topic);
      // Redis forgets subscriptions of a connection that broke, so a failure here leaves nothing behind.
      subscriber.unsubscribe(topic).catch(() => undefined);
    },
  });
  const queues = readers.get(topic) ?? new Set();
  readers.set(topic, queues.add(queue));
  signal?.addEventListener('abort', () => queue.end(), { once: true });
  if (signal?.aborted === true) queue.end();
  // Sent for every reader, not only the first: the answer proves that the subscription of the topic stands.
  const ready = subscriber.subscribe(topic).then(
    () => undefined,
    (cause: unknown) => {
      const error = new AppError('UNAVAILABLE', 'Live events are not available now.', { cause });
      queue.fail(error);
      throw error;
    },
  );
  // A reader that only iterates gets the same error from its iterator.
  ready.catch(() => undefined);
  return { ready, [Symbol.asyncIterator]: () => queue };
}
