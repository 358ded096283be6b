import type { SessionId } from '@kindred/domain/ids';
import type { Viewer } from '@kindred/domain/viewer';
import {
  calculateJwkThumbprint,
  exportJWK,
  generateKeyPair,
  importJWK,
  SignJWT,
  type JSONWebKeySet,
  type JWK,
} from 'jose';
import { z } from 'zod';

const LIFETIME_MS = 15 * 60 * 1000;

const privateKeySchema = z.object({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  x: z.string(),
  d: z.string(),
});

export type SessionSigningKey = z.infer<typeof privateKeySchema>;

/** The keys of one deployment: the first signs, the others are only published, so that what they signed still verifies. */
export type SessionSigningKeys = readonly [SessionSigningKey, ...SessionSigningKey[]];

/**
 * Reads signing keys from their environment value: one or more, parted by commas, each base64 of the JSON of a private
 * Ed25519 JWK. To rotate: append the new key and restart, move it to the front, and drop the old one 15 minutes later.
 */
export const sessionSigningKeysSchema = z.string().transform((list, context): SessionSigningKeys => {
  const [first, ...rest] = list.split(',').map((base64) => {
    const key = privateKeySchema.safeParse(parseJson(Buffer.from(base64.trim(), 'base64').toString('utf8')));
    if (key.success) return key.data;
    const wanted = 'base64 of the JSON of a private Ed25519 JWK (kty OKP, crv Ed25519, x, d)';
    context.addIssue({ code: 'custom', message: `wanted ${wanted}, got ${base64.length} other characters` });
    return z.NEVER;
  });
  return first === undefined ? z.NEVER : [first, ...rest];
});

/** A new key of its own; nothing is kept of it. */
export async function createSigningKey(): Promise<SessionSigningKey> {
  const { privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
  return privateKeySchema.parse(await exportJWK(privateKey));
}

export type AccountViewer = Extract<Viewer, { kind: 'account' }>;

export interface AccessTokens {
  /** A token of 15 minutes for one session. */
  issue(viewer: AccountViewer, sessionId: SessionId): Promise<{ accessToken: string; expiresAt: Date }>;
  /** The public halves of all keys, the signing one first, as `/.well-known/jwks.json` serves it. */
  readonly keySet: JSONWebKeySet;
}

/** Signs access tokens with EdDSA; a key id is the key's thumbprint (RFC 7638). */
export async function createAccessTokens(keys: SessionSigningKeys): Promise<AccessTokens> {
  const published = await Promise.all(keys.map(publish));
  const kid = published[0]?.kid;
  const signingKey = await importJWK(keys[0], 'EdDSA');
  return {
    keySet: { keys: published },
    issue: async (viewer, sessionId) => {
      const issuedAtSeconds = Math.floor(Date.now() / 1000);
      const expiresAtSeconds = issuedAtSeconds + LIFETIME_MS / 1000;
      const accessToken = await new SignJWT({ tenant: viewer.tenantId, role: viewer.role, sid: sessionId })
        .setProtectedHeader({ alg: 'EdDSA', ...(kid !== undefined && { kid }), typ: 'JWT' })
        .setIssuer('kindred')
        .setAudience('kindred-api')
        .setSubject(viewer.accountId)
        .setIssuedAt(issuedAtSeconds)
        .setExpirationTime(expiresAtSeconds)
        .sign(signingKey);
      return { accessToken, expiresAt: new Date(expiresAtSeconds * 1000) };
    },
  };
}

async function publish({ kty, crv, x }: SessionSigningKey): Promise<JWK> {
  return { kty, crv, x, kid: await calculateJwkThumbprint({ kty, crv, x }), alg: 'EdDSA', use: 'sig' };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // Judged by the schema, which names what was wanted.
  }
}
