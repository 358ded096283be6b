import { createHmac, createSecretKey, hash, type KeyObject, randomBytes, timingSafeEqual } from 'node:crypto';
import { AppError } from '@kindred/domain/app-error';
import type { Viewer } from '@kindred/domain/viewer';
import type { TokenId } from './replay-guard.ts';

/** The header that carries the gateway's word for who asks. */
export const INTERNAL_TOKEN_HEADER = 'x-kindred-token';

const LIFETIME_S = 60;
/** No token is valid for longer, clocks that differ included. */
export const MAX_TOKEN_AGE_MS = 70_000;
// Machines of one cluster differ by less than this.
const CLOCK_SKEW_S = 5;
const HEADER = Buffer.from('{"alg":"HS256","typ":"JWT"}').toString('base64url');

// Unique without a draw of random bits per request; nobody gains by guessing the next one.
const PROCESS_ID = randomBytes(9).toString('base64url');
let lastNumber = 0;

/** What the gateway vouches for. */
export interface Vouched {
  viewer: Viewer;
  /** The address that the client's connection came from; null when the gateway itself asks. */
  clientAddress: string | null;
  /** No other token has it: one that comes twice is a replay. */
  tokenId: TokenId;
}

interface Claims {
  aud: string;
  iat: number;
  exp: number;
  jti: string;
  viewer: Viewer;
  clientAddress?: string;
  bodyHash: string;
}

/**
 * A JWT (RFC 7519, HS256) valid for 60 s that binds the viewer to one subgraph and to the exact bytes of one request body.
 */
export function signInternalToken(
  secret: string,
  request: { audience: string; viewer: Viewer; clientAddress?: string | undefined; body: string },
): string {
  const { audience, viewer, clientAddress, body } = request;
  const iat = Math.floor(Date.now() / 1000);
  const claims: Claims = {
    aud: audience,
    iat,
    exp: iat + LIFETIME_S,
    jti: `${PROCESS_ID}.${++lastNumber}`,
    viewer,
    ...(clientAddress !== undefined && { clientAddress }),
    bodyHash: hashBody(body),
  };
  const signed = `${HEADER}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`;
  return `${signed}.${sign(secret, signed).toString('base64url')}`;
}

/**
 * Who asks, by the gateway's word. Whether the token came before is its caller's to know.
 * @throws AppError UNAUTHENTICATED when the token is missing, forged, expired, for another subgraph or for another body.
 */
export function verifyInternalToken(
  secret: string,
  { audience, token, body }: { audience: string; token: string | undefined; body: Buffer },
): Vouched {
  if (token === undefined) throw refuseToken('there is none');
  const claims = readClaims(secret, token);
  const now = Date.now() / 1000;
  if (claims.exp < now - CLOCK_SKEW_S || claims.iat > now + CLOCK_SKEW_S) throw refuseToken('it is not valid now');
  if (claims.aud !== audience) throw refuseToken(`it is for another audience than ${audience}`);
  if (claims.bodyHash !== hashBody(body)) throw refuseToken('it is for another request body');
  return { viewer: claims.viewer, clientAddress: claims.clientAddress ?? null, tokenId: readTokenId(claims.jti) };
}

/** Whether what was issued then, in seconds since 1970, is valid now. */
export function isCurrent(issuedAtS: number): boolean {
  const now = Date.now() / 1000;
  return issuedAtS + LIFETIME_S >= now - CLOCK_SKEW_S && issuedAtS <= now + CLOCK_SKEW_S;
}

function readClaims(secret: string, token: string): Claims {
  const [header, payload, signature, ...rest] = token.split('.');
  // The header is compared, not read: no other algorithm is ever considered.
  if (header !== HEADER || payload === undefined || signature === undefined || rest.length > 0) {
    throw refuseToken('it is not of our form');
  }
  const wanted = sign(secret, `${header}.${payload}`);
  const got = Buffer.from(signature, 'base64url');
  if (got.length !== wanted.length || !timingSafeEqual(got, wanted)) throw refuseToken('its signature is wrong');
  // What carries our signature was written by signInternalToken.
  return JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as Claims;
}

// A process has one secret; making its key anew costs as much as signing with it.
let known: { secret: string; key: KeyObject } | undefined;

function readTokenId(text: string): TokenId {
  const end = text.lastIndexOf('.');
  return { signer: text.slice(0, end), number: Number(text.slice(end + 1)) };
}

function sign(secret: string, text: string): Buffer {
  if (known?.secret !== secret) known = { secret, key: createSecretKey(secret, 'utf8') };
  return createHmac('sha256', known.key).update(text).digest();
}

function hashBody(body: string | Buffer): string {
  return hash('sha256', body, 'base64url');
}

/** Why a token does not admit its request. */
export function refuseToken(reason: string): AppError {
  return new AppError('UNAUTHENTICATED', `The internal token does not admit this request: ${reason}.`);
}
