import { AppError } from '@kindred/domain/app-error';
import { decodeGlobalId, type ApiKeyId } from '@kindred/domain/ids';
import type { UserError } from './generated/resolvers.ts';
import { userError } from './user-error.ts';

/** The key that an input names, or why it names none. */
export function readApiKeyId(globalId: string): ApiKeyId | UserError {
  try {
    return decodeGlobalId('ApiKey', globalId);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return userError('INVALID', error.message, ['apiKeyId']);
  }
}

/** That the tenant has no such key, and what came. */
export function noSuchApiKey(globalId: string): UserError {
  return userError('NOT_FOUND', `apiKeyId must be that of a key of this tenant, got "${globalId}".`, ['apiKeyId']);
}
