import type { ReadRow } from './read-row.ts';
import { textProblem } from './text.ts';

// Senders' clocks run ahead a little; more than this is a mistake in the data.
const CLOCK_TOLERANCE_MS = 5 * 60 * 1000;
const MAX_VALUE = 1_000_000;

/** The kinds of thing that an end user does. */
export const INTERACTION_TYPES = ['VIEW', 'CLICK', 'CART', 'PURCHASE', 'RATING'] as const;

type InteractionType = (typeof INTERACTION_TYPES)[number];

/** An interaction as its sender writes it. */
export interface InteractionDraft {
  eventId?: string | null | undefined;
  userExternalId: string;
  itemExternalId: string;
  type: InteractionType;
  value?: number | null | undefined;
  occurredAt?: Date | null | undefined;
}

/** An interaction that may be recorded, if there is such an item. */
export interface CheckedInteraction extends InteractionDraft {
  occurredAt: Date;
}

/** The interaction to record, or the first thing that is wrong with the input. `receivedAt` stands in for a time left out. */
export function readInteraction(input: InteractionDraft, receivedAt: Date): ReadRow<CheckedInteraction> {
  const { userExternalId, itemExternalId, type, eventId, value } = input;
  const occurredAt = input.occurredAt ?? receivedAt;
  const problems: [field: string, problem: string | null][] = [
    ['eventId', typeof eventId === 'string' ? textProblem(eventId, [1, 200]) : null],
    ['userExternalId', textProblem(userExternalId, [1, 200])],
    ['itemExternalId', textProblem(itemExternalId, [1, 200])],
    ['value', valueProblem(type, value)],
    ['occurredAt', timeProblem(occurredAt, receivedAt)],
  ];
  for (const [field, problem] of problems) if (problem !== null) return { field, problem };
  return { row: { eventId, userExternalId, itemExternalId, type, value, occurredAt } };
}

function valueProblem(type: InteractionType, value: number | null | undefined): string | null {
  if (value === null || value === undefined)
    return type === 'RATING' ? 'must hold the rating of a RATING, got none' : null;
  if (Math.abs(value) > MAX_VALUE) return `must be between -${MAX_VALUE} and ${MAX_VALUE}, got ${value}`;
  if ((type === 'CART' || type === 'PURCHASE') && value <= 0)
    return `must be a quantity above 0 for a ${type}, got ${value}`;
  return null;
}

function timeProblem(occurredAt: Date, receivedAt: Date): string | null {
  if (occurredAt.getTime() < 0) return `must not be before 1970, got ${occurredAt.toISOString()}`;
  if (occurredAt.getTime() <= receivedAt.getTime() + CLOCK_TOLERANCE_MS) return null;
  return `must not be in the future (it is ${receivedAt.toISOString()}), got ${occurredAt.toISOString()}`;
}
