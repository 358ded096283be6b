import { createHmac, hash, timingSafeEqual } from 'node:crypto';

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
 * names one subgraph and opens one channel, so that no call is good anywhere else. A token for each call says the same for
 * more than twice the work, framing included (`npm run bench:channel`).
 */
export function createCallSeal(secret: string, upgradeToken: string): CallSeal {
  const sealOf = createMac(createHmac('sha256', secret).update(`kindred channel ${upgradeToken}`).digest());
  return {
    sign: (text) => sealOf(Buffer.byteLength(text), (block) => block.write(text, BLOCK_BYTES)),
    admits: (seal, bytes) => {
      const wanted = Buffer.from(
        sealOf(bytes.length, (block) => bytes.copy(block, BLOCK_BYTES)),
        'latin1',
      );
      return wanted.length === seal.length && timingSafeEqual(wanted, seal);
    },
  };
}

/** Of SHA-256. */
const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;
/** What most calls take. */
const USUAL_BYTES = 16_384;

/**
 * HMAC-SHA-256 under one key of at most a block, of a message of `length` bytes that `write` puts behind the first block:
 * as `createHmac`, whose objects cost more than the hashing of so short a message.
 */
function createMac(key: Buffer): (length: number, write: (block: Buffer) => void) => string {
  const padded = (pad: number, size: number) => {
    const block = Buffer.alloc(size);
    block.fill(pad, 0, BLOCK_BYTES);
    key.forEach((byte, at) => {
      block[at] = byte ^ pad;
    });
    return block;
  };
  const usual = padded(0x36, BLOCK_BYTES + USUAL_BYTES);
  const outer = padded(0x5c, BLOCK_BYTES + DIGEST_BYTES);
  return (length, write) => {
    const inner = length <= USUAL_BYTES ? usual : padded(0x36, BLOCK_BYTES + length);
    write(inner);
    outer.write(hash('sha256', inner.subarray(0, BLOCK_BYTES + length), 'binary'), BLOCK_BYTES, 'binary');
    return hash('sha256', outer, 'base64url');
  };
}
