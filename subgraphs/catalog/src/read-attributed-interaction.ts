import type { NewInteraction } from '@kindred/db/interactions';
import { AppError } from '@kindred/domain/app-error';
import type { TenantId } from '@kindred/domain/ids';
import { readInteraction } from '@kindred/domain/read-interaction';
import type { ReadRow } from '@kindred/domain/read-row';
import { type VerifiedAttribution, verifyAttribution } from '@kindred/service/attribution-token';
import type { InteractionInput } from './generated/resolvers.ts';

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
export function readAttributedInteraction(input: InteractionInput, received: Received): ReadRow<AttributedInteraction> {
  const read = readInteraction(input, received.receivedAt);
  if (!('row' in read)) return read;
  const attribution = readToken(input.attributionToken, received);
  if (typeof attribution === 'string') return { field: 'attributionToken', problem: attribution };
  return { row: { ...read.row, attribution } };
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
