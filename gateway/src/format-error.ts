import type { AppErrorCode } from '@kindred/domain/app-error';
import { createFormatError, type FormatError, HTTP_STATUS_BY_CODE } from '@kindred/service/format-error';
import type { Logger } from '@kindred/service/logger';
import type { GraphQLFormattedError } from 'graphql';
import { withoutSuggestions } from './limits.ts';

const CODES: ReadonlySet<unknown> = new Set<AppErrorCode>(Object.keys(HTTP_STATUS_BY_CODE) as AppErrorCode[]);

/**
 * Like a subgraph's, and lets pass what a subgraph has formatted already, without its name: an error of the closed list
 * of codes, or one that was masked and logged there.
 */
export function createGatewayFormatError(logger: Logger, { hideSchema }: { hideSchema: boolean }): FormatError {
  const formatAny = createFormatError(logger);
  const formatOwn: FormatError = (formatted, error) => {
    const answered = formatAny(formatted, error);
    return hideSchema ? { ...answered, message: withoutSuggestions(answered.message) } : answered;
  };
  return (formatted, error) => {
    if (formatted.extensions?.serviceName === undefined) return formatOwn(formatted, error);
    const { code, traceId, serviceName } = formatted.extensions;
    const place = { ...(formatted.path && { path: formatted.path }) };
    if (CODES.has(code)) return { message: formatted.message, ...place, extensions: { code } };
    if (code === 'INTERNAL_SERVER_ERROR' && typeof traceId === 'string') {
      return { message: formatted.message, ...place, extensions: { code, traceId } };
    }
    // A subgraph that refuses what the gateway planned: the two do not run the same contract.
    return formatOwn({ ...formatted, extensions: {} }, unexpected(serviceName, formatted));
  };
}

function unexpected(serviceName: unknown, formatted: GraphQLFormattedError): Error {
  return new Error(`The ${String(serviceName)} subgraph answered unexpectedly: ${JSON.stringify(formatted)}`);
}
