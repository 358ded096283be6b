import { AppError, type AppErrorCode } from '@kindred/domain/app-error';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import type { Logger } from 'pino';
import { currentTraceId } from './trace.ts';

/** Which HTTP status says the same as a code, where a request ends before GraphQL begins. */
export const HTTP_STATUS_BY_CODE: Record<AppErrorCode, number> = {
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  BAD_USER_INPUT: 400,
  CONFLICT: 409,
  RATE_LIMITED: 429,
  QUOTA_EXCEEDED: 429,
  TIMEOUT: 504,
  UNAVAILABLE: 503,
};

// Codes of Apollo Server and graphql-js for requests that are wrong in themselves; their messages name only the schema.
const REQUEST_CODES: ReadonlySet<unknown> = new Set([
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'BAD_USER_INPUT',
  'BAD_REQUEST',
  'OPERATION_RESOLUTION_FAILURE',
  'OPERATION_TOO_COMPLEX',
  'PERSISTED_QUERY_NOT_FOUND',
  'PERSISTED_QUERY_NOT_SUPPORTED',
]);

// The caller may know these, and the operator must.
const OUTAGE_CODES: ReadonlySet<AppErrorCode> = new Set(['UNAVAILABLE', 'TIMEOUT']);

export type FormatError = (formatted: GraphQLFormattedError, error: unknown) => GraphQLFormattedError;

/**
 * The one place where an error becomes what a client sees: an AppError keeps its code and message, a request that is
 * wrong in itself keeps graphql's, anything else is masked as INTERNAL_SERVER_ERROR with a trace id and logged, once, with its cause.
 */
export function createFormatError(logger: Logger): FormatError {
  return (formatted, error) => {
    const cause = rootCause(error);
    const place = {
      ...(formatted.locations && { locations: formatted.locations }),
      ...(formatted.path && { path: formatted.path }),
    };
    if (cause instanceof AppError) {
      if (OUTAGE_CODES.has(cause.code))
        logger.warn({ err: cause, path: formatted.path, traceId: currentTraceId() }, 'An outage');
      return { message: cause.message, ...place, extensions: { code: cause.code } };
    }
    const code = formatted.extensions?.code;
    if (cause instanceof GraphQLError && REQUEST_CODES.has(code)) {
      return { message: formatted.message, ...place, extensions: { code } };
    }
    const traceId = currentTraceId();
    logger.error(
      { err: cause, path: formatted.path, traceId },
      'A request failed for a reason that its caller must not see',
    );
    return { message: maskedMessage(traceId), ...place, extensions: { code: 'INTERNAL_SERVER_ERROR', traceId } };
  };
}

/** Any thrown value in the form of a GraphQL error, for answers that no GraphQL executor writes. */
export function toFormattedError(error: unknown, format: FormatError): GraphQLFormattedError {
  if (error instanceof GraphQLError) return format(error.toJSON(), error);
  return format({ message: 'masked' }, error);
}

/** The error that was thrown, from under the GraphQL errors that say where. */
function rootCause(error: unknown): unknown {
  let cause = error;
  while (cause instanceof GraphQLError && cause.originalError !== undefined) cause = cause.originalError;
  return cause;
}

function maskedMessage(traceId: string): string {
  return `Something failed on our side. Name the trace ${traceId} when you report it.`;
}
