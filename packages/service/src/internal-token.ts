import { createHmac, createSecretKey, hash, type KeyObject, timingSafeEqual } from 'node:crypto';
import { AppError } from '@kindred/domain/app-error';
import type { Viewer } from '@kindred/domain/viewer';

/** The header that carries the gateway's word for who asks. */
export const INTERNAL_TOKEN_HEADER = 'x-kindred-token';

const LIFETIME_S = 60;
// Machines of one cluster differ by less than this.
const CLOCK_SKEW_S = 5;
const HEADER = Buffer.from('{"alg":"HS256","typ":"JWT"}').toString('base64url');

interface Claims {
  aud: string;
  iat: number;
  exp: number;
  viewer: Viewer;
  bodyHash: string;
}

/**
 * A JWT (RFC 7519, HS256) valid for 60 s that binds the viewer to one subgraph and to the exact bytes of one request body.
 */
export function signInternalToken(
  secret: string,
  { audience, viewer, body }: { audience: string; viewer: Viewer; body: string },
): string {
  const iat = Math.floor(Date.now() / 1000);
  const claims: Claims = { aud: audience, iat, exp: iat + LIFETIME_S, viewer, bodyHash: hashBody(body) };
  const signed = `${HEADER}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`;
  return `${signed}.${sign(secret, signed).toString('base64url')}`;
}

/**
 * The viewer that the gateway vouches for.
 * @throws AppError UNAUTHENTICATED when the token is missing, forged, expired, for another subgraph or for another body.
 */
export function verifyInternalToken(
  secret: string,
  { audience, token, body }: { audience: string; token: string | undefined; body: Buffer },
): Viewer {
  if (token === undefined) throw refuse('there is none');
  const claims = readClaims(secret, token);
  const now = Date.now() / 1000;
  if (claims.exp < now - CLOCK_SKEW_S || claims.iat > now + CLOCK_SKEW_S) throw refuse('it is not valid now');
  if (claims.aud !== audience) throw refuse(`it is for another audience than ${audience}`);
  if (claims.bodyHash !== hashBody(body)) throw refuse('it is for another request body');
  return claims.viewer;
}

function readClaims(secret: string, token: string): Claims {
  const [header, payload, signature, ...rest] = token.split('.');
  // The header is compared, not read: no other algorithm is ever considered.
  if (header !== HEADER || payload === undefined || signature === undefined || rest.length > 0) {
    throw refuse('it is not of our form');
  }
  const wanted = sign(secret, `${header}.${payload}`);
  const got = Buffer.from(signature, 'base64url');
  if (got.length !== wanted.length || !timingSafeEqual(got, wanted)) throw refuse('its signature is wrong');
  // What carries our signature was written by signInternalToken.
  return JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as Claims;
}

// A process has one secret; making its key anew costs as much as signing with it.
let known: { secret: string; key: KeyObject } | undefined;

function sign(secret: string, text: string): Buffer {
  if (known?.secret !== secret) known = { secret, key: createSecretKey(secret, 'utf8') };
  return createHmac('sha256', known.key).update(text).digest();
}

function hashBody(body: string | Buffer): string {
  return hash('sha256', body, 'base64url');
}

function refuse(reason: string): AppError {
  return new AppError('UNAUTHENTICATED', `The internal token does not admit this request: ${reason}.`);
}
