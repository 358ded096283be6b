import { QuotaExceededError } from '../usage/quotas.ts';
import { type Charge, RateLimitedError } from './rate-limiter.ts';

/** The `RateLimit` and `RateLimit-Policy` fields (draft-ietf-httpapi-ratelimit-headers-10): points, and seconds until a bucket is full. */
export function rateHeaders({
  policy,
  remaining,
}: Pick<Charge, 'policy'> & { remaining: number }): Record<string, string> {
  const { burst, pointsPerSecond } = policy;
  const left = Math.max(0, Math.floor(remaining));
  return {
    'ratelimit-policy': `"points";q=${burst};w=${Math.ceil(burst / pointsPerSecond)}`,
    ratelimit: `"points";r=${left};t=${Math.ceil((burst - Math.min(burst, left)) / pointsPerSecond)}`,
  };
}

/** What says to somebody who was refused when to come again. */
export function refusalHeaders(error: unknown): Record<string, string> {
  if (error instanceof QuotaExceededError) {
    const { retryAfterS } = error;
    return { ratelimit: `"month";r=0;t=${retryAfterS}`, 'retry-after': String(retryAfterS) };
  }
  if (!(error instanceof RateLimitedError)) return {};
  return { ...rateHeaders(error), 'retry-after': String(error.retryAfterS) };
}
