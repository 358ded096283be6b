import type { Db } from '@kindred/db/client';
import { listUserItems, readItemsOfUsers, type UserHistoryRow } from '@kindred/db/interactions';
import { findItemsByExternalIds } from '@kindred/db/items';
import { type TenantTx, withTenant } from '@kindred/db/tenants';
import { findUserByExternalId } from '@kindred/db/users';
import { AppError } from '@kindred/domain/app-error';
import type { ItemId, TenantId, UserId } from '@kindred/domain/ids';
import type { Logger } from '@kindred/service/logger';
import { LruCache } from '@kindred/service/lru-cache';
import type { UserHistories } from '@kindred/service/user-histories';
import { Batcher } from '@kindred/service/batcher';
import { type History, historyOf, NO_HISTORY } from './history.ts';
import type { Position } from './position.ts';
import type { Question } from './read-question.ts';

/** Who has seen more is shown the oldest again. */
export const MOST_SEEN = 5_000;

/** Reads what tenants know of those whom questions are about. */
export interface HistoryReader {
  /**
   * Ids that the tenant does not have are left out. While neither Redis nor the database says what a user did, the user is
   * as one of whom nothing is known.
   */
  read(tenantId: TenantId, question: Question): Promise<History>;
  /** The names in memory under which something is kept of a user: `forget` takes them. */
  namesOf(tenantId: TenantId, user: { userId: UserId | null; userExternalId: string | null }): string[];
  forget(names: readonly string[]): void;
}

export interface HistoryReaderOptions {
  db: Db;
  histories: UserHistories;
  logger: Pick<Logger, 'error' | 'info'>;
  /** What histories in memory may take. */
  maxBytes?: number;
}

const MAX_BYTES = 128 * 2 ** 20;
const MOST_USERS = 1_000_000;
/** An entry of a map, its history and, for each item, an id in a list, in a set, and a row. */
const BYTES_PER_USER = 600;
const BYTES_PER_ITEM = 180;
/** Longer ids are no user's (catalog refuses them): they are not worth a key. */
const LONGEST_USER_ID = 200;
const MOST_USERS_AT_ONCE = 200;

interface Entry {
  tenantId: TenantId;
  history: History;
}

export function createHistoryReader(options: HistoryReaderOptions): HistoryReader {
  const { db, histories, logger, maxBytes = MAX_BYTES } = options;
  const entries = new LruCache<Entry>({ capacity: MOST_USERS, maxWeight: maxBytes });
  const truth = tellOutages(createTruthReader(db), logger);
  const readUser = async (tenantId: TenantId, userExternalId: string): Promise<History> => {
    if (userExternalId.length > LONGEST_USER_ID) return NO_HISTORY;
    const key = { tenantId, userExternalId };
    const name = `${tenantId}:${userExternalId}`;
    const token = await histories.token(key);
    const entry = token === null ? undefined : entries.get(name);
    if (entry !== undefined && entry.history.token === token && entry.tenantId === tenantId) return entry.history;
    const stored = await histories.read(key);
    const keep = (history: History): History => {
      if (history.token !== null) {
        entries.set(name, { tenantId, history }, BYTES_PER_USER + history.itemIds.length * BYTES_PER_ITEM);
      }
      return history;
    };
    if (stored !== null && stored.events !== null) return keep(historyOf(stored));
    const row = await truth(tenantId, userExternalId);
    if (row === UNREADABLE) return NO_HISTORY;
    const userId = row?.userId ?? '';
    const events = row?.items ?? [];
    const filled = stored && (await histories.store(key, { token: stored.token, userId, events }));
    return keep(historyOf({ token: filled, userId, events }));
  };
  return {
    namesOf: (tenantId, { userId, userExternalId }) => {
      const ownName = userExternalId === null ? null : `${tenantId}:${userExternalId}`;
      return entries.keysWhere(
        (name, entry) =>
          entry.tenantId === tenantId && (name === ownName || (userId !== null && entry.history.userId === userId)),
      );
    },
    forget: (names) => {
      for (const name of names) entries.delete(name);
    },
    read: async (tenantId, question) => {
      const { audience, excludeItems, after } = question;
      if (audience !== null && 'userExternalId' in audience && after === null) {
        const history = await readUser(tenantId, audience.userExternalId);
        if (excludeItems.length === 0) return history;
        const excludedIds = await withTenant(db, tenantId, (tx) => findItemIds(tx, excludeItems));
        return history.without([...excludedIds.values()]);
      }
      if (audience === null && excludeItems.length === 0) return NO_HISTORY;
      return await withTenant(db, tenantId, (tx) => readInTransaction(tx, question));
    },
  };
}

type ReadTruth = (tenantId: TenantId, externalId: string) => Promise<UserHistoryRow | undefined>;

const UNREADABLE = Symbol('unreadable');

/** An answer without a user's history is worth more than none. Its first failure and its return are logged, not each question. */
function tellOutages(read: ReadTruth, logger: HistoryReaderOptions['logger']) {
  let isOut = false;
  return async (tenantId: TenantId, externalId: string): Promise<UserHistoryRow | undefined | typeof UNREADABLE> => {
    try {
      const row = await read(tenantId, externalId);
      if (isOut) logger.info('Histories can be read again');
      isOut = false;
      return row;
    } catch (err) {
      if (!(err instanceof AppError && err.code === 'UNAVAILABLE')) throw err;
      if (!isOut) logger.error({ err }, 'Histories cannot be read now: whom Redis does not know gets what is popular');
      isOut = true;
      return UNREADABLE;
    }
  };
}

/** Users that are asked for at once are read in one transaction of their tenant. */
function createTruthReader(db: Db): ReadTruth {
  const batchers = new LruCache<Batcher<string, UserHistoryRow | undefined>>({ capacity: 1_000, maxWeight: 1_000 });
  return async (tenantId, externalId) => {
    let batcher = batchers.get(tenantId);
    if (batcher === undefined) {
      const read = async (externalIds: readonly string[]) => {
        const rows = await readItemsOfUsers(db, tenantId, { externalIds, limit: MOST_SEEN });
        const byId = new Map(rows.map((row) => [row.externalId, row]));
        return externalIds.map((id) => byId.get(id));
      };
      batcher = new Batcher(read, { mostAtOnce: MOST_USERS_AT_ONCE });
      batchers.set(tenantId, batcher, 1);
    }
    return await batcher.ask(externalId);
  };
}

/** Sessions, and pages that go on from what had been recorded when the first one was made. */
async function readInTransaction(tx: TenantTx, { audience, excludeItems, after }: Question): Promise<History> {
  const sessionItems = audience !== null && 'sessionItems' in audience ? audience.sessionItems : [];
  const idOf = await findItemIds(tx, [...sessionItems, ...excludeItems]);
  const idsOf = (externalIds: readonly string[]) => externalIds.flatMap((externalId) => idOf.get(externalId) ?? []);
  const own =
    audience !== null && 'userExternalId' in audience
      ? await readUserUntil(tx, audience.userExternalId, after)
      : historyOf({ token: null, userId: '', events: eventsOf(idsOf(sessionItems)) });
  return own.without(idsOf(excludeItems));
}

async function readUserUntil(tx: TenantTx, externalId: string, after: Position | null): Promise<History> {
  const user = await findUserByExternalId(tx, externalId);
  if (user === null) return NO_HISTORY;
  const items = await listUserItems(tx, user.id, { limit: MOST_SEEN, recordedUntil: after?.knownUntil });
  const events = items.map(({ itemId, occurredAt, recordedAt }) => {
    return { itemId, occurredAt: occurredAt.getTime(), recordedAt: recordedAt.getTime() };
  });
  return historyOf({ token: null, userId: user.id, events });
}

/** The items of a session, which have no time but their order: the last one is the latest. */
function eventsOf(itemIds: readonly ItemId[]) {
  return [...new Set(itemIds.toReversed())].map((itemId) => ({ itemId, occurredAt: 0, recordedAt: 0 }));
}

async function findItemIds(tx: TenantTx, externalIds: readonly string[]): Promise<Map<string, ItemId>> {
  if (externalIds.length === 0) return new Map();
  const items = await findItemsByExternalIds(tx, [...new Set(externalIds)]);
  return new Map(items.map((item) => [item.externalId, item.id]));
}
