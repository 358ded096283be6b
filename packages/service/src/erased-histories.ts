import type { Redis } from './redis.ts';

/** How many keys one step of a walk looks at. */
const STEP = 1_000;

/** A key of a user's history in Redis, of this run of the server or of one before. */
export interface HistoryKey {
  key: string;
  /** A token names the user behind a `|`; a list holds the interactions. */
  values: string[];
}

/** Everything that Redis holds of a user's history, by the tenant's own id. */
export async function readHistoryKeys(
  redis: Redis,
  { tenantId, userExternalId }: { tenantId: string; userExternalId: string },
): Promise<HistoryKey[]> {
  const name = `{${tenantId}:${userExternalId}}`;
  const found: HistoryKey[] = [];
  for await (const keys of walk(redis, `kindred:history:*:${escapeGlob(name)}:*`)) {
    for (const key of keys) found.push({ key, values: await readValues(redis, key) });
  }
  return found;
}

/** Deletes everything that Redis holds of a user's history, and says what it was. */
export async function deleteHistoryKeys(
  redis: Redis,
  user: { tenantId: string; userExternalId: string },
): Promise<HistoryKey[]> {
  const found = await readHistoryKeys(redis, user);
  for (const { key } of found) await redis.del(key);
  return found;
}

/** How many of a tenant's histories in Redis are of this user, by the platform's id. */
export async function countHistoriesOf(
  redis: Redis,
  { tenantId, userId }: { tenantId: string; userId: string },
): Promise<number> {
  let count = 0;
  for await (const keys of walk(redis, `kindred:history:*:{${tenantId}:*:token`)) {
    const tokens = keys.length === 0 ? [] : await redis.mget(keys);
    count += tokens.filter((token) => token?.endsWith(`|${userId}`)).length;
  }
  return count;
}

async function* walk(redis: Redis, pattern: string): AsyncGenerator<string[], void> {
  let cursor = '0';
  do {
    const [next, keys] = await redis.scan(cursor, 'MATCH', pattern, 'COUNT', STEP);
    yield keys;
    cursor = next;
  } while (cursor !== '0');
}

async function readValues(redis: Redis, key: string): Promise<string[]> {
  if (key.endsWith(':list')) return await redis.lrange(key, 0, -1);
  const value = await redis.get(key);
  return value === null ? [] : [value];
}

function escapeGlob(text: string): string {
  return text.replaceAll(/[\\*?[\]]/g, String.raw`\$&`);
}
