import { AppError } from '@kindred/domain/app-error';
import express, { type ErrorRequestHandler, type RequestHandler, type Response } from 'express';
import { type FormatError, HTTP_STATUS_BY_CODE, toFormattedError } from './format-error.ts';
import {
  INTERNAL_TOKEN_HEADER,
  MAX_TOKEN_AGE_MS,
  refuseToken,
  verifyInternalToken,
  type Vouched,
} from './internal-token.ts';
import { createReplayGuard } from './replay-guard.ts';
import { newTraceId, readTraceId, runInTrace, TRACE_HEADER } from './trace.ts';

// The gateway admits 8 MiB; escaping can make a body longer on its way.
const BODY_LIMIT = '16mb';

/**
 * Reads the raw body, verifies the internal token against it, refuses a token that came before, and only then parses: what
 * follows sees a JSON body, who asks (`vouchedOf`) and the caller's trace.
 */
export function verifyRequest({ audience, secret }: { audience: string; secret: string }): RequestHandler[] {
  const replays = createReplayGuard(MAX_TOKEN_AGE_MS);
  const verify: RequestHandler = (req, res, next) => {
    const body: Buffer = Buffer.isBuffer(req.body) ? req.body : Buffer.alloc(0);
    const vouched = verifyInternalToken(secret, { audience, token: req.get(INTERNAL_TOKEN_HEADER), body });
    if (!replays.admit(vouched.tokenId)) throw refuseToken('it came before');
    res.locals.vouched = vouched;
    req.body = parseJson(body);
    runInTrace(readTraceId(req.get(TRACE_HEADER)) ?? newTraceId(), next);
  };
  return [express.raw({ type: () => true, limit: BODY_LIMIT }), verify];
}

/** Who asks, of a request that `verifyRequest` let pass. */
export function vouchedOf(res: Response): Vouched {
  return res.locals.vouched as Vouched;
}

/** Answers what was thrown outside GraphQL in the form of a GraphQL answer without data. */
export function answerErrors(formatError: FormatError): ErrorRequestHandler {
  // oxlint-disable-next-line max-params -- express knows an error handler by its four parameters
  return (error, _req, res, next) => {
    if (res.headersSent) {
      next(error);
      return;
    }
    const known = fromHttpError(error);
    const status = known instanceof AppError ? HTTP_STATUS_BY_CODE[known.code] : 500;
    res.status(tooLarge(error) ? 413 : status).json({ errors: [toFormattedError(known, formatError)] });
  };
}

// What express.raw and express.json throw: http-errors with a `type`.
function fromHttpError(error: unknown): unknown {
  if (tooLarge(error)) return new AppError('BAD_USER_INPUT', 'The request body is too large.', { cause: error });
  const status = error instanceof Error && 'status' in error ? error.status : undefined;
  if (typeof status !== 'number' || status < 400 || status > 499) return error;
  return new AppError('BAD_USER_INPUT', 'The request body cannot be read: wanted JSON in UTF-8.', { cause: error });
}

function tooLarge(error: unknown): boolean {
  return error instanceof Error && 'type' in error && error.type === 'entity.too.large';
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (cause) {
    throw new AppError('BAD_USER_INPUT', 'The request body is no JSON.', { cause });
  }
}
