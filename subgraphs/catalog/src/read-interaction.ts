import type { NewInteraction } from '@kindred/db/interactions';
import { AppError } from '@kindred/domain/app-error';
import type { TenantId } from '@kindred/domain/ids';
import { type VerifiedAttribution, verifyAttribution } from '@kindred/service/attribution-token';
import type { InteractionInput, InteractionType } from './generated/resolvers.ts';
import type { ReadRow } from './judge-rows.ts';
import { textProblem } from './text.ts';

// Senders' clocks run ahead a little; more than this is a mistake in the data.
const CLOCK_TOLERANCE_MS = 5 * 60 * 1000;
const MAX_VALUE = 1_000_000;

/** An interaction, and the answer that it is owed to. */
export interface AttributedInteraction extends NewInteraction {
  attribution: VerifiedAttribution | null;
}

/** Who sends, and when it came: the time stands in for one left out. */
export interface Received {
  tenantId: TenantId;
  receivedAt: Date;
  attributionSecret: string;
}

/** The interaction to record, or the first thing that is wrong with the input. */
export function readInteraction(input: InteractionInput, received: Received): ReadRow<AttributedInteraction> {
  const { receivedAt } = received;
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
  const attribution = readToken(input.attributionToken, received);
  if (typeof attribution === 'string') return { field: 'attributionToken', problem: attribution };
  return { row: { eventId, userExternalId, itemExternalId, type, value, occurredAt, attribution } };
}

/** The answer that a token is of, or what is wrong with the token. */
function readToken(
  token: string | null | undefined,
  { tenantId, attributionSecret }: Received,
): VerifiedAttribution | string | null {
  if (token === null || token === undefined) return null;
  try {
    return verifyAttribution(attributionSecret, { tenantId, token });
  } catch (error) {
    if (error instanceof AppError) return error.message;
    throw error;
  }
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
