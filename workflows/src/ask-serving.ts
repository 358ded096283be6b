import { randomUUID } from 'node:crypto';
import {
  ERASURE_TOPIC,
  type ErasureReply,
  type ErasureWord,
  erasureReplyTopic,
  readErasureReply,
} from '@kindred/domain/user-events';
import type { EventBus } from '@kindred/service/event-bus';

/** A replica has a version to load before it answers. */
const REPLY_TIMEOUT_MS = 3_000;

/**
 * Tells every serving replica to forget a user, or asks what it holds, and has the answers of all who heard it.
 * @throws Error when one of them did not answer in time: it may have ended meanwhile, so that another try finds out.
 */
export async function askServing(events: EventBus, word: Omit<ErasureWord, 'requestId'>): Promise<ErasureReply[]> {
  const requestId = randomUUID();
  const stop = new AbortController();
  const answers = events.subscribe(erasureReplyTopic(requestId), stop.signal);
  await answers.ready;
  const heardBy = await events.publish(ERASURE_TOPIC, JSON.stringify({ ...word, requestId }));
  const timer = setTimeout(() => stop.abort(), REPLY_TIMEOUT_MS);
  const replies: ErasureReply[] = [];
  try {
    if (heardBy > 0) {
      for await (const message of answers) {
        replies.push(readErasureReply(message));
        if (replies.length === heardBy) break;
      }
    }
  } finally {
    clearTimeout(timer);
    stop.abort();
  }
  if (replies.length < heardBy) {
    throw new Error(`${heardBy} replicas were told of the erasure, ${replies.length} answered.`);
  }
  return replies;
}
