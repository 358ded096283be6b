import { createHmac, createSecretKey, timingSafeEqual } from 'node:crypto';

/** What binds the calls of one channel to it. */
export interface CallSeal {
  /** The seal of a call's text, `SEAL_CHARS` long. */
  readonly sign: (text: string) => string;
  /** Whether this is the seal of these bytes, on this channel. */
  readonly admits: (seal: Buffer, bytes: Buffer) => boolean;
}

/** HMAC with SHA-256 in base64url. */
export const SEAL_CHARS = 43;

/**
 * Seals the calls of the channel that `upgradeToken` opened (HMAC, RFC 2104): its key is derived from that token, which
 * names one subgraph and opens one channel, so that no call is good anywhere else. A token for each call said the same for
 * four times the work.
 */
export function createCallSeal(secret: string, upgradeToken: string): CallSeal {
  const key = createSecretKey(createHmac('sha256', secret).update(`kindred channel ${upgradeToken}`).digest());
  return {
    sign: (text) => createHmac('sha256', key).update(text).digest('base64url'),
    admits: (seal, bytes) => {
      const wanted = Buffer.from(createHmac('sha256', key).update(bytes).digest('base64url'), 'latin1');
      return wanted.length === seal.length && timingSafeEqual(wanted, seal);
    },
  };
}
