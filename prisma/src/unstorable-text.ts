import { AppError } from '@kindred/domain/app-error';

/** SQLSTATE 22021 character_not_in_repertoire and 22P05 untranslatable_character: U+0000, or half a surrogate pair. */
const UNSTORABLE_TEXT = new Set(['22021', '22P05']);

/** The error as a caller can act on it where the database refused text that it cannot store, else the error itself. */
export function translateDatabaseError(error: unknown): unknown {
  const state = sqlState(error);
  return state !== undefined && UNSTORABLE_TEXT.has(state)
    ? new AppError('BAD_USER_INPUT', 'A text holds U+0000 or half of a surrogate pair, which cannot be stored.', {
        cause: error,
      })
    : error;
}

/** The SQLSTATE that PostgreSQL gave, however deep the client wrapped it. */
function sqlState(error: unknown): string | undefined {
  if (!(error instanceof Error)) {
    return undefined;
  }
  const { meta } = error as { meta?: { driverAdapterError?: { cause?: { originalCode?: string } } } };
  return meta?.driverAdapterError?.cause?.originalCode;
}
