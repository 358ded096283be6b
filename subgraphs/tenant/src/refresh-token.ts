import { createHash, randomBytes } from 'node:crypto';

const LIFETIME_MS = 7 * 24 * 60 * 60 * 1000;

export interface RefreshToken {
  refreshToken: string;
  digest: Buffer<ArrayBuffer>;
  expiresAt: Date;
}

/** A new opaque token of 256 random bits, good for seven days. Only its digest is kept. */
export function newRefreshToken(): RefreshToken {
  const refreshToken = `kr_${randomBytes(32).toString('base64url')}`;
  return {
    refreshToken,
    digest: digestRefreshToken(refreshToken),
    expiresAt: new Date(Date.now() + LIFETIME_MS),
  };
}

/** What the database keeps instead of the token: SHA-256 (256 random bits need no slow hash). */
export function digestRefreshToken(refreshToken: string): Buffer<ArrayBuffer> {
  return createHash('sha256').update(refreshToken).digest();
}
