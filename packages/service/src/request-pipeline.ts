import type { IncomingMessage } from 'node:http';
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

/** The gateway admits 8 MiB; escaping can make a body longer on its way. */
export const BODY_LIMIT_BYTES = 16 * 1024 * 1024;
const TOO_LARGE = 'The request body is too large.';

/** Whom the gateway vouches for with this token and this body. @throws AppError UNAUTHENTICATED, once it came before too. */
export type VerifyToken = (token: string | undefined, body: Buffer) => Vouched;

/** The check of one subgraph's internal tokens, the same for all of its routes: each token admits one request. */
export function createTokenVerifier({ audience, secret }: { audience: string; secret: string }): VerifyToken {
  const replays = createReplayGuard(MAX_TOKEN_AGE_MS);
  return (token, body) => {
    const vouched = verifyInternalToken(secret, { audience, token, body });
    if (!replays.admit(vouched.tokenId)) throw refuseToken('it came before');
    return vouched;
  };
}

/**
 * Reads the raw body, verifies the internal token against it, and only then parses: what follows sees a JSON body, who asks
 * (`vouchedOf`) and the caller's trace.
 */
export function verifyRequest(verifyToken: VerifyToken): RequestHandler[] {
  const verify: RequestHandler = (req, res, next) => {
    const body: Buffer = Buffer.isBuffer(req.body) ? req.body : Buffer.alloc(0);
    res.locals.vouched = verifyToken(req.get(INTERNAL_TOKEN_HEADER), body);
    req.body = parseJson(body.toString('utf8'));
    runInTrace(readTraceId(req.get(TRACE_HEADER)) ?? newTraceId(), next);
  };
  return [express.raw({ type: () => true, limit: BODY_LIMIT_BYTES }), verify];
}

/** Says of itself what the errors of `express.raw` say, so that both read the same. */
class BodyTooLargeError extends Error {
  readonly type = 'entity.too.large';
}

/** The whole body, by events: iterating over the stream costs a promise for every chunk of every request. */
export function readBody(req: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let sizeBytes = 0;
    req.on('data', (chunk: Buffer) => {
      sizeBytes += chunk.length;
      if (sizeBytes <= BODY_LIMIT_BYTES) chunks.push(chunk);
      else reject(new BodyTooLargeError(TOO_LARGE));
    });
    req.once('end', () => resolve(chunks.length === 1 ? (chunks[0] ?? Buffer.alloc(0)) : Buffer.concat(chunks)));
    req.once('error', reject);
  });
}

/** What an internal token is signed for that admits a request whose body is not read first, such as an upload. */
export function unreadBody(method: string, path: string): string {
  return `${method} ${path}`;
}

/** Verifies the internal token of a request for its method and path, and leaves its body unread. */
export function admitUnread(verifyToken: VerifyToken): RequestHandler {
  return (req, res, next) => {
    const body = Buffer.from(unreadBody(req.method, req.originalUrl));
    res.locals.vouched = verifyToken(req.get(INTERNAL_TOKEN_HEADER), body);
    runInTrace(readTraceId(req.get(TRACE_HEADER)) ?? newTraceId(), next);
  };
}

/** Who asks, of a request that `verifyRequest` or `admitUnread` let pass. */
export function vouchedOf(res: Response): Vouched {
  return res.locals.vouched as Vouched;
}

/** What was thrown outside GraphQL, in the form of a GraphQL answer without data. */
export function answerOf(error: unknown, formatError: FormatError) {
  const known = fromHttpError(error);
  const status = known instanceof AppError ? HTTP_STATUS_BY_CODE[known.code] : 500;
  return { status: tooLarge(error) ? 413 : status, body: { errors: [toFormattedError(known, formatError)] } };
}

/** Answers what was thrown outside GraphQL in the form of a GraphQL answer without data. */
export function answerErrors(formatError: FormatError): ErrorRequestHandler {
  // oxlint-disable-next-line max-params -- express knows an error handler by its four parameters
  return (error, _req, res, next) => {
    if (res.headersSent) {
      next(error);
      return;
    }
    const { status, body } = answerOf(error, formatError);
    res.status(status).json(body);
  };
}

// What express.raw and express.json throw: http-errors with a `type`.
function fromHttpError(error: unknown): unknown {
  if (tooLarge(error)) return new AppError('BAD_USER_INPUT', TOO_LARGE, { cause: error });
  const status = error instanceof Error && 'status' in error ? error.status : undefined;
  if (typeof status !== 'number' || status < 400 || status > 499) return error;
  return new AppError('BAD_USER_INPUT', 'The request body cannot be read: wanted JSON in UTF-8.', { cause: error });
}

function tooLarge(error: unknown): boolean {
  return error instanceof Error && 'type' in error && error.type === 'entity.too.large';
}

/** @throws AppError BAD_USER_INPUT */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new AppError('BAD_USER_INPUT', 'The request body is no JSON.', { cause });
  }
}
