import { AppError } from '@kindred/domain/app-error';
import { checkPageSize } from '@kindred/domain/cursor';
import type { ItemWhere, QueryRecommendArgs, RecommendInput, UserRef } from './generated/resolvers.ts';
import { decodePosition, fingerprint, type Position } from './position.ts';

/** For whom an answer is: a user or the items of a session, by the tenant's own ids, or nobody known. */
export type Audience = { userExternalId: string } | { sessionItems: readonly string[] } | null;

/** What `recommend` is asked, checked. */
export interface Question {
  audience: Audience;
  /** By the tenant's own ids. */
  excludeItems: readonly string[];
  where: ItemWhere | null;
  explain: boolean;
  first: number;
  /** Names all of the above but `first`. */
  fingerprint: string;
  after: Position | null;
}

export const MOST_EXCLUDED = 1_000;
const MOST_SESSION_ITEMS = 200;

/** @throws AppError BAD_USER_INPUT for what is outside the limits of the schema. */
export function readQuestion({ input, first, after }: QueryRecommendArgs): Question {
  const audience = readAudience(input.user);
  const { explain } = input;
  const excludeItems = readExcluded(input);
  const where = input.where ?? null;
  const name = fingerprint([audience, excludeItems, explain, where]);
  return {
    audience,
    excludeItems,
    where,
    explain,
    first: checkPageSize(first),
    fingerprint: name,
    after: typeof after === 'string' ? decodePosition(after, name) : null,
  };
}

function readExcluded({ excludeItems }: RecommendInput): readonly string[] {
  if (excludeItems.length <= MOST_EXCLUDED) return excludeItems;
  throw new AppError(
    'BAD_USER_INPUT',
    `input.excludeItems takes at most ${MOST_EXCLUDED} items, got ${excludeItems.length}.`,
  );
}

function readAudience(user: UserRef | null | undefined): Audience {
  if (user === null || user === undefined) return null;
  const { externalId, sessionItems } = user;
  const hasUser = typeof externalId === 'string';
  const hasSession = Array.isArray(sessionItems);
  if (hasUser === hasSession) {
    const got = hasUser ? 'both' : 'neither';
    throw new AppError('BAD_USER_INPUT', `input.user wants exactly one of externalId and sessionItems, got ${got}.`);
  }
  if (hasUser) return { userExternalId: externalId };
  const items = sessionItems ?? [];
  if (items.length < 1 || items.length > MOST_SESSION_ITEMS) {
    const range = `1-${MOST_SESSION_ITEMS}`;
    throw new AppError('BAD_USER_INPUT', `input.user.sessionItems must be ${range} items, got ${items.length}.`);
  }
  return { sessionItems: items };
}
