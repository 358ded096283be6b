import { createHash } from 'node:crypto';
import { AppError } from '@kindred/domain/app-error';
import type { Redis } from '@kindred/service/redis';

const WINDOW_MS = 15 * 60 * 1000;
// Somebody who mistypes is far below; a list of a thousand passwords takes half a day at one account.
const ATTEMPTS_PER_EMAIL = 20;
// An office behind one address, or a list of accounts tried from one machine.
const ATTEMPTS_PER_ADDRESS = 100;

/** Counts attempts to sign in, in Redis, so that all replicas count together. */
export interface SignInThrottle {
  /**
   * Counts an attempt before its password is checked, so that parallel guesses count as well.
   * @throws AppError RATE_LIMITED past the limit of the e-mail address or of the client's address; UNAVAILABLE when it
   * cannot be counted: without the count nobody signs in.
   */
  countAttempt(attempt: Attempt): Promise<void>;
  /** Forgets the attempts at this e-mail address, and this one from the client's address. */
  forgive(attempt: Attempt): Promise<void>;
}

export interface Attempt {
  email: string;
  /** Null only for a caller that has none, inside the platform. */
  clientAddress: string | null;
}

export function createSignInThrottle(redis: Redis): SignInThrottle {
  return {
    countAttempt: async ({ email, clientAddress }) => {
      const keys = [{ key: keyOf('email', email), limit: ATTEMPTS_PER_EMAIL }];
      if (clientAddress !== null) keys.push({ key: keyOf('address', clientAddress), limit: ATTEMPTS_PER_ADDRESS });
      // One after the other: a refused attempt at one account does not use up the address.
      for (const { key, limit } of keys) {
        const { count, leftMs } = await countUp(redis, key);
        if (count > limit) throw tooMany(leftMs);
      }
    },
    forgive: async ({ email, clientAddress }) => {
      const forgiving = redis.multi().del(keyOf('email', email));
      if (clientAddress !== null) forgiving.decr(keyOf('address', clientAddress));
      await forgiving.exec().catch(refuseUncounted);
    },
  };
}

/** Digests: a dump of Redis tells nobody's address. */
function keyOf(kind: 'email' | 'address', value: string): string {
  return `kindred:sign-in:${kind}:${createHash('sha256').update(value).digest('base64url')}`;
}

async function countUp(redis: Redis, key: string): Promise<{ count: number; leftMs: number }> {
  const answers = await redis
    .multi()
    .set(key, 0, 'PX', WINDOW_MS, 'NX')
    .incr(key)
    .pttl(key)
    .exec()
    .catch(refuseUncounted);
  const [, [, count] = [], [, leftMs] = []] = answers ?? [];
  if (typeof count !== 'number' || typeof leftMs !== 'number') return refuseUncounted(answers);
  return { count, leftMs };
}

function refuseUncounted(cause: unknown): never {
  throw new AppError('UNAVAILABLE', 'Nobody can be signed in now; try again in a minute.', { cause });
}

function tooMany(leftMs: number): AppError {
  const minutes = Math.max(1, Math.ceil(leftMs / 60_000));
  return new AppError('RATE_LIMITED', `Too many attempts to sign in: try again in ${minutes} min.`);
}
