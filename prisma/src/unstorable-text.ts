import { AppError } from '@kindred/domain/app-error';
import { DatabaseError } from 'pg';

interface DatabaseFailure {
  /** SQLSTATE (PostgreSQL documentation, appendix A). */
  code: string | undefined;
  message: string | undefined;
}

/** The error as its caller can act on it where the database refused a text that it cannot store, else the error itself. */
export function translateDatabaseError(error: unknown): unknown {
  return isUnstorableText(findFailure(error))
    ? new AppError('BAD_USER_INPUT', 'A text holds U+0000 or half of a surrogate pair, which cannot be stored.', {
        cause: error,
      })
    : error;
}

/**
 * U+0000 is 22021 character_not_in_repertoire in a parameter and 22P05 untranslatable_character in JSON. Half of a
 * surrogate pair makes JSON that JSON.stringify wrote 22P02 invalid_text_representation.
 */
function isUnstorableText({ code, message }: DatabaseFailure): boolean {
  return code === '22021' || code === '22P05' || (code === '22P02' && message?.includes('json') === true);
}

/** What PostgreSQL said, however deep the client wrapped it. */
function findFailure(error: unknown): DatabaseFailure {
  if (error instanceof DatabaseError) {
    return { code: error.code, message: error.message };
  }
  const { meta } = (error ?? {}) as {
    meta?: { driverAdapterError?: { cause?: { originalCode?: string; originalMessage?: string } } };
  };
  const cause = meta?.driverAdapterError?.cause;
  return { code: cause?.originalCode, message: cause?.originalMessage };
}
