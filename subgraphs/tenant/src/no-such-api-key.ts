import type { UserError } from './generated/resolvers.ts';
import { userError } from './user-error.ts';

/** That the tenant has no such key, and what came. */
export function noSuchApiKey(globalId: string): UserError {
  return userError('NOT_FOUND', `apiKeyId must be that of a key of this tenant, got "${globalId}".`, ['apiKeyId']);
}
