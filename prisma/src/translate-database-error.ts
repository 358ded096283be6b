import { AppError } from '@kindred/domain/app-error';

interface DatabaseFailure {
  /** SQLSTATE (PostgreSQL documentation, appendix A), or what the client or the system says where the server says nothing. */
  code: string | undefined;
  message: string | undefined;
}

/**
 * The error as its caller can act on it: where the database refused a text that it cannot store, or cannot be had now; else
 * the error itself.
 */
export function translateDatabaseError(error: unknown): unknown {
  const failure = findFailure(error);
  if (isUnstorableText(failure)) {
    const message = 'A text holds U+0000 or half of a surrogate pair, which cannot be stored.';
    return new AppError('BAD_USER_INPUT', message, { cause: error });
  }
  if (isAway(failure))
    return new AppError('UNAVAILABLE', 'The database cannot be reached now; try again.', { cause: error });
  return error;
}

/** Connection exceptions, no room for connections, a server that shuts down or starts, and a database that takes none. */
const AWAY = /^(08\w{3}|53\w{3}|57P\w{2}|55000)$/;
/** How the network's system, and Prisma, name the same. */
const UNREACHABLE: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'P1001',
  'P1002',
  'P1017',
]);
/** What pg says of its connection has no code. */
const LOST =
  /^(Connection terminated|Client has encountered a connection error|Client was closed|timeout exceeded when trying to connect)/;

function isAway({ code = '', message = '' }: DatabaseFailure): boolean {
  return AWAY.test(code) || UNREACHABLE.has(code) || LOST.test(message);
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
  // Of a name with several addresses each refused.
  if (error instanceof AggregateError) return findFailure(error.errors[0]);
  const { code, message, meta } = (error ?? {}) as DatabaseFailure & {
    meta?: { driverAdapterError?: { cause?: { originalCode?: string; originalMessage?: string } } };
  };
  const cause = meta?.driverAdapterError?.cause;
  return { code: cause?.originalCode ?? code, message: cause?.originalMessage ?? message };
}
