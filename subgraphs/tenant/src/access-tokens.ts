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

const LIFETIME_MS = 12 * 60 * 60 * 1000;

const privateKeySchema = z.object({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  x: z.string(),
  d: z.string(),
});

export type SessionSigningKey = z.infer<typeof privateKeySchema>;

/** Reads a signing key from its environment value: base64 of the JSON of a private Ed25519 JWK. */
export const sessionSigningKeySchema = z.string().transform((base64, context): SessionSigningKey => {
  const key = privateKeySchema.safeParse(parseJson(Buffer.from(base64, 'base64').toString('utf8')));
  if (key.success) return key.data;
  const wanted = 'base64 of the JSON of a private Ed25519 JWK (kty OKP, crv Ed25519, x, d)';
  context.addIssue({ code: 'custom', message: `wanted ${wanted}, got ${base64.length} other characters` });
  return z.NEVER;
});

/** A new key of its own; nothing is kept of it. */
export async function createSigningKey(): Promise<SessionSigningKey> {
  const { privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
  return privateKeySchema.parse(await exportJWK(privateKey));
}

export type AccountViewer = Extract<Viewer, { kind: 'account' }>;

export interface AccessTokens {
  issue(viewer: AccountViewer): Promise<{ accessToken: string; expiresAt: Date }>;
  /** The public half of the signing key, as `/.well-known/jwks.json` serves it. */
  readonly keySet: JSONWebKeySet;
}

/** Signs access tokens with EdDSA; the key id is the key's thumbprint (RFC 7638). */
export async function createAccessTokens(key: SessionSigningKey): Promise<AccessTokens> {
  const publicKey: JWK = { kty: key.kty, crv: key.crv, x: key.x };
  const kid = await calculateJwkThumbprint(publicKey);
  const signingKey = await importJWK(key, 'EdDSA');
  return {
    keySet: { keys: [{ ...publicKey, kid, alg: 'EdDSA', use: 'sig' }] },
    issue: async (viewer) => {
      const issuedAtSeconds = Math.floor(Date.now() / 1000);
      const expiresAtSeconds = issuedAtSeconds + LIFETIME_MS / 1000;
      const accessToken = await new SignJWT({ tenant: viewer.tenantId, role: viewer.role })
        .setProtectedHeader({ alg: 'EdDSA', kid, typ: 'JWT' })
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

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // Judged by the schema, which names what was wanted.
  }
}
