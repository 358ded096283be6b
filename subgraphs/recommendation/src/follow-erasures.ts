import { randomUUID } from 'node:crypto';
import {
  ERASURE_TOPIC,
  type ErasureReply,
  type ErasureWord,
  erasureReplyTopic,
  readErasureWord,
} from '@kindred/domain/user-events';
import type { EventBus } from '@kindred/service/event-bus';
import { followTopic } from '@kindred/service/follow-topic';
import type { Logger } from '@kindred/service/logger';
import type { HistoryReader } from './read-history.ts';
import type { ResultCache } from './result-cache.ts';
import type { Serving } from './serving.ts';

interface Memory {
  serving: Pick<Serving, 'refreshAndCount'>;
  historyReader: Pick<HistoryReader, 'namesOf' | 'forget'>;
  results: Pick<ResultCache, 'namesOf' | 'forget'>;
}

/**
 * Forgets users when it is told to, and says what is still held of one: each word is answered once. Whoever tells waits
 * for every replica that heard; one that hears nothing looks at the database within seconds, and keeps no history
 * without Redis. Ends with the function that is given back.
 */
export function followErasures({
  events,
  logger,
  ...memory
}: Memory & { events: EventBus; logger: Logger }): () => void {
  const replica = randomUUID();
  const stop = new AbortController();
  const answer = async (message: string): Promise<void> => {
    const word = readErasureWord(message);
    try {
      const reply: ErasureReply = { replica, ...(await obey(memory, word)) };
      await events.publish(erasureReplyTopic(word.requestId), JSON.stringify(reply));
    } catch (err) {
      logger.error({ err, tenantId: word.tenantId }, 'An erasure was not answered; whoever asked asks again');
    }
  };
  void followTopic(events, {
    topic: ERASURE_TOPIC,
    signal: stop.signal,
    onBegin: () => {},
    onMessage: (message) => void answer(message),
    onLost: (err) => logger.warn({ err }, 'Erasures are not heard; the database is looked at instead'),
  });
  return () => stop.abort();
}

async function obey(memory: Memory, word: ErasureWord): Promise<Omit<ErasureReply, 'replica'>> {
  const before = await look(memory, word, { refresh: false });
  if (!word.forget) return { forgottenCount: 0, heldCount: before.count };
  memory.historyReader.forget(before.histories);
  memory.results.forget(before.rankings);
  const after = await look(memory, word, { refresh: true });
  return { forgottenCount: before.count - after.count, heldCount: after.count };
}

async function look(
  { serving, historyReader, results }: Memory,
  { tenantId, userId, userExternalId }: ErasureWord,
  { refresh }: { refresh: boolean },
): Promise<{ histories: string[]; rankings: string[]; count: number }> {
  const vectorCount = await serving.refreshAndCount(tenantId, { userId, refresh });
  const histories = historyReader.namesOf(tenantId, { userId, userExternalId });
  const rankings = userId === null ? [] : results.namesOf(tenantId, userId);
  return { histories, rankings, count: vectorCount + histories.length + rankings.length };
}
