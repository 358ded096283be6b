import { hash } from 'node:crypto';
import type { ItemId, UserId } from '@kindred/domain/ids';

/** What a tenant knows of whom a question is about. */
export interface History {
  /** Changes with every interaction; null where nobody says whether anything is new. */
  readonly token: string | null;
  /** Null for a session, and for a user whom the tenant does not have. */
  readonly userId: UserId | null;
  /** The user's or the session's items, the latest first, each once. */
  readonly itemIds: readonly ItemId[];
  /** What must not be in the answer: these and the excluded ones. */
  readonly masked: ReadonlySet<ItemId>;
  /** The newest of the interactions; the epoch without any. */
  readonly newestOccurredAt: Date;
  readonly newestRecordedAt: Date;
  /** The same, with further items kept out of the answer. */
  without(excludedIds: readonly ItemId[]): History;
}

interface Source {
  token: string | null;
  /** Empty for nobody known. */
  userId: string;
  /** The newest first, each item once; times in epoch milliseconds. */
  events: readonly { itemId: string; occurredAt: number; recordedAt: number }[];
}

export function historyOf({ token, userId, events }: Source): History {
  const itemIds = events.map(({ itemId }) => itemId as ItemId);
  return createHistory({
    token,
    userId: userId === '' ? null : (userId as UserId),
    itemIds,
    masked: new Set(itemIds),
    newestOccurredAt: newestOf(events.map(({ occurredAt }) => occurredAt)),
    newestRecordedAt: newestOf(events.map(({ recordedAt }) => recordedAt)),
  });
}

function createHistory(facts: Omit<History, 'without'>): History {
  return {
    ...facts,
    without: (excludedIds) => createHistory({ ...facts, masked: new Set([...facts.masked, ...excludedIds]) }),
  };
}

function newestOf(times: readonly number[]): Date {
  return new Date(times.reduce((newest, time) => Math.max(newest, time), 0));
}

/**
 * What names all that a ranking looks at of a user: the token, else the history's content, which is what it is whoever
 * says so. Null for nobody known.
 */
export function stateOf({ token, userId, itemIds, newestOccurredAt, newestRecordedAt }: History): string | null {
  if (token !== null || userId === null) return token;
  const times = `${newestOccurredAt.getTime()} ${newestRecordedAt.getTime()}`;
  return hash('sha256', `${userId} ${times} ${itemIds.join(' ')}`, 'base64url');
}

/** Of a visitor nothing is known of. */
export const NO_HISTORY: History = historyOf({ token: null, userId: '', events: [] });
