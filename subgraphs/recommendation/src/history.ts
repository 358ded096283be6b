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
  /**
   * Names all that a ranking looks at of a user, whoever said it, so that Redis may go away or come back in between; ends
   * with the user's id. Of a user whom the tenant does not have it is the token; null for a session.
   */
  readonly state: string | null;
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
  const newestOccurredAt = newestOf(events.map(({ occurredAt }) => occurredAt));
  const newestRecordedAt = newestOf(events.map(({ recordedAt }) => recordedAt));
  return createHistory({
    token,
    userId: userId === '' ? null : (userId as UserId),
    itemIds,
    masked: new Set(itemIds),
    newestOccurredAt,
    newestRecordedAt,
    state: userId === '' ? token : stateOf({ userId, itemIds, times: [newestOccurredAt, newestRecordedAt] }),
  });
}

function stateOf({ userId, itemIds, times }: { userId: string; itemIds: readonly string[]; times: readonly Date[] }) {
  const content = `${times.map((time) => time.getTime()).join(' ')} ${itemIds.join(' ')}`;
  return `${hash('sha256', content, 'base64url')}|${userId}`;
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

/** Of a visitor nothing is known of. */
export const NO_HISTORY: History = historyOf({ token: null, userId: '', events: [] });
