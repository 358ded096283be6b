import { AppError } from '@kindred/domain/app-error';
import { decodeGlobalId, type IdKind } from '@kindred/domain/ids';
import type { UserError } from './generated/resolvers.ts';
import { userError } from './user-error.ts';

/** The id that a field of an input names, or why it names none. */
export function readId<K extends IdKind>(
  kind: K,
  { field, value }: { field: string; value: string },
): ReturnType<typeof decodeGlobalId<K>> | UserError {
  try {
    return decodeGlobalId(kind, value);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return userError('INVALID', error.message, [field]);
  }
}
