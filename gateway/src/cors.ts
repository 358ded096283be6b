import type { RequestHandler } from 'express';

const ALLOWED_HEADERS =
  'authorization, content-type, accept, x-api-key, idempotency-key, apollo-require-preflight, x-graphql-event-stream-token';
const EXPOSED_HEADERS = 'ratelimit, ratelimit-policy, retry-after';
const NO_ORIGIN: Record<string, string> = { vary: 'Origin' };
const MAX_AGE_S = 600;

/** Whether a page of this origin may call. Callers without one are no browsers, and are not held by CORS. */
export function isAllowedOrigin(allowedOrigins: readonly string[], origin: string | undefined): boolean {
  return origin === undefined || allowedOrigins.includes(origin);
}

/** What lets a page of this origin read an answer; credentials travel in headers, never in cookies. */
export function corsHeaders(allowedOrigins: readonly string[], origin: string | undefined): Record<string, string> {
  if (origin === undefined || !isAllowedOrigin(allowedOrigins, origin)) return NO_ORIGIN;
  return { ...NO_ORIGIN, 'access-control-allow-origin': origin, 'access-control-expose-headers': EXPOSED_HEADERS };
}

/** Lets pages of the allowed origins read answers (Fetch Living Standard, section 3.2). */
export function cors(allowedOrigins: readonly string[]): RequestHandler {
  return (req, res, next) => {
    res.set(corsHeaders(allowedOrigins, req.get('origin')));
    if (req.method !== 'OPTIONS') {
      next();
      return;
    }
    res.set('access-control-allow-methods', 'GET, POST, PUT, DELETE');
    res.set('access-control-allow-headers', ALLOWED_HEADERS);
    res.set('access-control-max-age', String(MAX_AGE_S)).status(204).end();
  };
}
