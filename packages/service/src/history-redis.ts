import { Redis } from 'ioredis';
import { NO_EVENTS } from './history-event.ts';

interface Commands {
  get(key: string): Promise<string | null>;
  del(...keys: string[]): Promise<number>;
  readHistory(token: string, list: string, fresh: string, keptForS: number): Promise<string[]>;
  // oxlint-disable-next-line max-params -- the arguments of a script
  fillHistory(
    token: string,
    list: string,
    before: string,
    after: string,
    keptForS: number,
    ...rows: string[]
  ): Promise<number>;
  // oxlint-disable-next-line max-params -- the arguments of a script
  addToHistory(
    token: string,
    list: string,
    after: string,
    keptForS: number,
    most: number,
    ...rows: string[]
  ): Promise<number>;
}

export type KeyNames = (key: { tenantId: string; userExternalId: string }) => { token: string; list: string };

type Command<T> = (client: Commands, names: KeyNames) => Promise<T>;

/** A Redis that is asked only while it answers. */
export interface HistoryRedis {
  /** Null when there is no answer: not connected, too slow, or failed. */
  tell<T>(command: Command<T>): Promise<T | null>;
  /** As `tell`, for what is believed: null also until all who could tell nothing during an outage have had time to. */
  ask<T>(command: Command<T>): Promise<T | null>;
  close(): void;
}

/** A healthy Redis answers in a fraction of a millisecond; a stuck one must not hold an answer. */
const COMMAND_TIMEOUT_MS = 300;
/** For so long a Redis that did not answer is not asked again; then one question finds out for all. */
const PAUSE_MS = 1_000;
const LONGEST_RECONNECT_PAUSE_MS = 500;
/** After an outage: until others are connected again (their pause) and have told what they could not (their next try). */
const SETTLE_MS = LONGEST_RECONNECT_PAUSE_MS + 1_000;

// A list without its token was left by a token that ended first: what it lacks is not known.
const READ = `
local token = redis.call('GET', KEYS[1])
if not token then
  redis.call('DEL', KEYS[2])
  redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
  return { ARGV[1] }
end
local rows = redis.call('LRANGE', KEYS[2], 0, -1)
table.insert(rows, 1, token)
return rows`;

const FILL = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[2])
redis.call('RPUSH', KEYS[2], '${NO_EVENTS}')
for at = #ARGV, 4, -1 do redis.call('LPUSH', KEYS[2], ARGV[at]) end
redis.call('EXPIRE', KEYS[2], ARGV[3])
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
return 1`;

const ADD = `
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
if redis.call('EXISTS', KEYS[2]) == 1 then
  for at = 4, #ARGV do redis.call('LPUSH', KEYS[2], ARGV[at]) end
  redis.call('LTRIM', KEYS[2], 0, ARGV[3] - 1)
  redis.call('EXPIRE', KEYS[2], ARGV[2])
end
return 1`;

export function openHistoryRedis(redisUrl: string): HistoryRedis {
  const redis = new Redis(redisUrl, {
    enableOfflineQueue: false,
    // Commands of the same turn of the event loop share one packet.
    enableAutoPipelining: true,
    maxRetriesPerRequest: 0,
    commandTimeout: COMMAND_TIMEOUT_MS,
    retryStrategy: (attempt) => Math.min(attempt * 50, LONGEST_RECONNECT_PAUSE_MS),
  });
  redis.on('error', () => undefined);
  for (const [name, lua] of Object.entries({ readHistory: READ, fillHistory: FILL, addToHistory: ADD })) {
    redis.defineCommand(name, { numberOfKeys: 2, lua });
  }
  // defineCommand adds methods that the type does not know.
  const client = redis as Redis & Commands;
  let names: KeyNames | null = null;
  let pausedUntil = 0;
  let isTrying = false;
  let settledAt = 0;
  redis.on('close', () => {
    // Not the failure of a try to connect again.
    if (names !== null) settledAt = Number.POSITIVE_INFINITY;
    names = null;
  });
  const begin = async (): Promise<void> => {
    try {
      names = namesIn(await readRunId(redis));
      pausedUntil = 0;
      if (settledAt > 0) settledAt = performance.now() + SETTLE_MS;
    } catch {
      // Without its run no list can be told from an older one: the next connection tries again.
      redis.disconnect(true);
    }
  };
  redis.on('ready', () => void begin());
  const tell: HistoryRedis['tell'] = async (command) => {
    if (names === null || isTrying || performance.now() < pausedUntil) return null;
    const isTry = pausedUntil > 0;
    isTrying = isTry;
    try {
      const answer = await command(client, names);
      if (isTry) pausedUntil = 0;
      return answer;
    } catch {
      pausedUntil = performance.now() + PAUSE_MS;
      return null;
    } finally {
      if (isTry) isTrying = false;
    }
  };
  return {
    tell,
    ask: async (command) => (performance.now() < settledAt ? null : await tell(command)),
    close: () => redis.disconnect(),
  };
}

/** What names this run of the server: another one may have lost what this one was told. */
async function readRunId(redis: Redis): Promise<string> {
  return /^run_id:(\w+)/m.exec(await redis.info('server'))?.[1] ?? 'unnamed';
}

/** The braces keep both keys of a user on one node of a cluster. */
function namesIn(runId: string): KeyNames {
  return ({ tenantId, userExternalId }) => {
    const name = `kindred:history:${runId}:{${tenantId}:${userExternalId}}`;
    return { token: `${name}:token`, list: `${name}:list` };
  };
}
