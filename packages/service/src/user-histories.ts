import { randomBytes } from 'node:crypto';
import { type HistoryEvent, readEvents, writeEvent } from './history-event.ts';
import { type HistoryRedis, openHistoryRedis } from './history-redis.ts';

/** One end user of one tenant, by the tenant's own id. */
export interface UserKey {
  tenantId: string;
  userExternalId: string;
}

/** What Redis knows of a user. The token changes with every interaction: who holds it knows whether anything is new. */
export type StoredHistory =
  | { token: string; userId: string; events: HistoryEvent[] }
  /** Nothing is known: read the truth, then `store` it under this token. */
  | { token: string; events: null };

/**
 * Each user's latest interactions in Redis, for whoever must see an interaction as soon as it is acknowledged. Redis is a
 * cache: where it does not answer, answers are null and PostgreSQL is read. Lists of a Redis that was restarted or
 * replaced are not read again, because it may have come back without what it was told last.
 */
export interface UserHistories {
  /** The user's token; null when Redis holds none or does not answer. */
  token(key: UserKey): Promise<string | null>;
  /** Null when Redis does not answer. */
  read(key: UserKey): Promise<StoredHistory | null>;
  /** Keeps what the truth held after `token` was read; the new token, or null when something came in between. */
  store(
    key: UserKey,
    truth: { token: string; userId: string; events: readonly HistoryEvent[] },
  ): Promise<string | null>;
  /**
   * Adds interactions that were committed; await it before they are acknowledged. Never rejects: what could not be
   * told is told again until it is, so that no list stays old for longer than that.
   */
  add(interactions: readonly RecordedInteraction[]): Promise<void>;
  /**
   * As `add`, for many interactions at once: what is known of their users is dropped instead, which costs a tenth, and
   * the next reader reads the truth.
   */
  forget(users: Iterable<UserKey>): Promise<void>;
  close(): void;
}

export interface RecordedInteraction extends UserKey, HistoryEvent {
  userId: string;
}

/** More are dropped, the oldest first. */
export const MOST_EVENTS = 5_000;
const KEPT_FOR_S = 3_600;
const RETRY_EVERY_MS = 500;
/** Few enough that even a busy Redis answers them in its time. */
const FORGOTTEN_AT_ONCE = 500;
/** So many users whose interactions Redis was not told of are remembered; the lists of more end with their time. */
const MOST_UNTOLD = 100_000;

export function connectUserHistories(redisUrl: string): UserHistories {
  const redis = openHistoryRedis(redisUrl);
  const untold = new Map<string, UserKey>();
  const retry = setInterval(() => void tellAgain(redis, untold), RETRY_EVERY_MS).unref();
  return {
    token: async (key) => await redis.ask((client, names) => client.get(names(key).token)),
    read: async (key) => {
      const found = await redis.ask((client, names) => {
        const { token, list } = names(key);
        return client.readHistory(token, list, newToken(''), KEPT_FOR_S);
      });
      return found === null ? null : storedHistory(found);
    },
    store: async (key, { token: before, userId, events }) => {
      const after = newToken(userId);
      const filled = await redis.ask((client, names) => {
        const { token, list } = names(key);
        const rows = events.slice(0, MOST_EVENTS).map(writeEvent);
        return client.fillHistory(token, list, before, after, KEPT_FOR_S, ...rows);
      });
      return filled === 1 ? after : null;
    },
    add: async (interactions) => {
      const users = Map.groupBy(interactions, ({ tenantId, userExternalId }) => `${tenantId}:${userExternalId}`);
      await Promise.all([...users].map(([name, own]) => addOwn(redis, untold, { name, own })));
    },
    forget: async (users) => {
      for (const some of chunked([...users])) await forgetUsers(redis, untold, some);
    },
    close: () => {
      clearInterval(retry);
      redis.close();
    },
  };
}

async function addOwn(
  redis: HistoryRedis,
  untold: Map<string, UserKey>,
  { name, own }: { name: string; own: readonly RecordedInteraction[] },
): Promise<void> {
  const [first] = own;
  if (first === undefined) return;
  const told = await redis.tell((client, names) => {
    const { token, list } = names(first);
    return client.addToHistory(token, list, newToken(first.userId), KEPT_FOR_S, MOST_EVENTS, ...own.map(writeEvent));
  });
  if (told === null && untold.size < MOST_UNTOLD) untold.set(name, first);
}

/** In one command: of 5,000 that wait for answers the waiting costs more than what they do. */
async function forgetUsers(redis: HistoryRedis, untold: Map<string, UserKey>, keys: readonly UserKey[]): Promise<void> {
  const forgotten = await redis.tell((client, names) => client.del(...keys.map((key) => names(key).token)));
  if (forgotten !== null) return;
  for (const key of keys) if (untold.size < MOST_UNTOLD) untold.set(`${key.tenantId}:${key.userExternalId}`, key);
}

function* chunked(keys: readonly UserKey[]): Generator<readonly UserKey[]> {
  for (let at = 0; at < keys.length; at += FORGOTTEN_AT_ONCE) yield keys.slice(at, at + FORGOTTEN_AT_ONCE);
}

/** Makes Redis forget the users that it was not told of: the next reader reads the truth. */
async function tellAgain(redis: HistoryRedis, untold: Map<string, UserKey>): Promise<void> {
  for (const [name, key] of untold) {
    const forgotten = await redis.tell((client, names) => client.del(names(key).token));
    if (forgotten === null) return;
    untold.delete(name);
  }
}

/** Unlike any before it; names the user whom the list is about, where that is known. */
function newToken(userId: string): string {
  return `${randomBytes(9).toString('base64url')}|${userId}`;
}

function storedHistory([token = '', ...rows]: readonly string[]): StoredHistory {
  if (rows.length === 0) return { token, events: null };
  return { token, userId: token.slice(token.indexOf('|') + 1), events: readEvents(rows) };
}
