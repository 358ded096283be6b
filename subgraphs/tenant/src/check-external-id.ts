import type { UserError } from './generated/resolvers.ts';
import { userError } from './user-error.ts';

/** As catalog takes them. */
const MOST_CHARS = 200;

/** What is wrong with the tenant's own id of a user, if anything. The id itself is not repeated: it may be an address. */
export function checkExternalId(externalId: string): UserError[] {
  const length = Array.from(externalId).length;
  if (length < 1 || length > MOST_CHARS) {
    return [userError('INVALID', `externalId must be 1-${MOST_CHARS} characters, got ${length}.`, ['externalId'])];
  }
  if (externalId.isWellFormed() && !externalId.includes('\0')) return [];
  return [userError('INVALID', 'externalId must be well-formed text without NUL.', ['externalId'])];
}
