import { hash } from 'node:crypto';
import { AppError } from '@kindred/domain/app-error';
import { type AccountId, type ApiKeyId, decodeGlobalId, type TenantId } from '@kindred/domain/ids';
import { type Scope, scopesOfRole, type Viewer } from '@kindred/domain/viewer';
import { createRemoteJWKSet, errors, jwtVerify } from 'jose';
import { z } from 'zod';
import { newTraceId } from '@kindred/service/trace';
import { Deadline } from './context.ts';
import { LookupCache } from './lookup-cache.ts';
import type { SubgraphClient } from './subgraph-client.ts';

/** A credential that was good when it was checked. */
export interface Credential {
  viewer: Viewer;
  /** Whether it lives in browsers, where anybody can read it: it runs published documents and no others. */
  publishedOnly: boolean;
  /** For what outlives a request: when to check again, in milliseconds from now. Null: never. */
  validForMs(): number | null;
  /** @throws AppError UNAUTHENTICATED once it has expired or was revoked. */
  recheck(): Promise<void>;
}

/** Credentials as a request's headers or a socket's connection parameters carry them. */
export interface Presented {
  authorization?: string | undefined;
  apiKey?: string | undefined;
  /** The page that asks, as its browser says; a publishable key may be bound to some. */
  origin?: string | undefined;
}

/** Who presents this; the anonymous viewer when nothing is presented. @throws AppError UNAUTHENTICATED when it is not good. */
export type Authenticate = (presented: Presented) => Promise<Credential>;

const CLAIMS = z.object({
  sub: z.uuid().transform((id) => id as AccountId),
  tenant: z.uuid().transform((id) => id as TenantId),
  role: z.enum(['OWNER', 'ADMIN', 'MEMBER', 'VIEWER', 'OPERATOR']),
  exp: z.number(),
});

interface Session {
  viewer: Viewer;
  expiresAtMs: number;
}

const ANONYMOUS: Credential = {
  viewer: { kind: 'anonymous', scopes: [] },
  publishedOnly: false,
  validForMs: () => null,
  recheck: async () => {},
};
// A signature costs more to check than most queries to plan; a key that was withdrawn is trusted this much longer.
const SESSION_TTL_MS = 60_000;
// A revoked key stops working within this time.
const API_KEY_TTL_MS = 10_000;
const PUBLISHABLE_PREFIX = 'kp_';
const API_KEY_FORM = /^k[ps]_[0-9a-z]{20,80}$/;
// Errors of jose that say that its keys could not be had, not that the token is bad.
const KEYS_UNAVAILABLE = new Set(['ERR_JWKS_TIMEOUT', 'ERR_JOSE_GENERIC', 'ERR_JWKS_INVALID']);

export function createAuthenticate(options: { client: SubgraphClient; tenantUrl: string }): Authenticate {
  const verifySession = createSessionVerifier(options.tenantUrl);
  const findApiKey = createApiKeyFinder(options.client);
  return async ({ authorization, apiKey, origin }) => {
    const token = readBearer(authorization) ?? apiKey;
    if (token === undefined) return ANONYMOUS;
    return API_KEY_FORM.test(token) ? await findApiKey(token, origin) : await verifySession(token);
  };
}

const BEARER = 'bearer ';

function readBearer(authorization: string | undefined): string | undefined {
  if (authorization === undefined) return undefined;
  const presented = authorization.trim();
  const token = presented.slice(BEARER.length).trim();
  if (token === '' || presented.slice(0, BEARER.length).toLowerCase() !== BEARER)
    throw new AppError('UNAUTHENTICATED', 'Wanted `Authorization: Bearer …`.');
  return token;
}

function createSessionVerifier(tenantUrl: string): (token: string) => Promise<Credential> {
  const keys = createRemoteJWKSet(new URL('/.well-known/jwks.json', tenantUrl), { timeoutDuration: 3_000 });
  const wanted = {
    issuer: 'kindred',
    audience: 'kindred-api',
    algorithms: ['EdDSA', 'Ed25519'],
    requiredClaims: ['exp'],
  };
  // The same viewer each time: what is derived from it is derived once.
  const sessions = new LookupCache<Session>({ ttlMs: SESSION_TTL_MS, capacity: 10_000 });
  const verify = async (token: string): Promise<Session> => {
    const { payload } = await jwtVerify(token, keys, wanted).catch((cause: unknown) => {
      if (cause instanceof errors.JOSEError && !KEYS_UNAVAILABLE.has(cause.code)) throw badSession(cause);
      throw new AppError('UNAVAILABLE', 'Sessions cannot be checked now; try again.', { cause });
    });
    const claims = CLAIMS.safeParse(payload);
    if (!claims.success) throw badSession(claims.error);
    const { sub: accountId, tenant: tenantId, role, exp } = claims.data;
    return {
      viewer: { kind: 'account', accountId, tenantId, role, scopes: scopesOfRole(role) },
      expiresAtMs: exp * 1000,
    };
  };
  return async (token) => {
    const { viewer, expiresAtMs } = await sessions.get(digestOf(token), () => verify(token));
    const recheck = async () => {
      if (Date.now() >= expiresAtMs) throw badSession();
    };
    await recheck();
    return { viewer, publishedOnly: false, validForMs: () => Math.max(0, expiresAtMs - Date.now()), recheck };
  };
}

function badSession(cause?: unknown): AppError {
  return new AppError('UNAUTHENTICATED', 'The session is not valid or has expired; sign in again.', { cause });
}

interface ApiKey {
  viewer: Viewer;
  allowedOrigins: readonly string[];
  expiresAtMs: number | null;
}

function createApiKeyFinder(
  client: SubgraphClient,
): (apiKey: string, origin: string | undefined) => Promise<Credential> {
  const cache = new LookupCache<ApiKey | null>({ ttlMs: API_KEY_TTL_MS, capacity: 10_000 });
  const find = async (apiKey: string, origin: string | undefined): Promise<Credential> => {
    const known = await cache.get(digestOf(apiKey), () => lookUpApiKey(client, apiKey));
    if (known === null || (known.expiresAtMs !== null && Date.now() >= known.expiresAtMs)) {
      throw new AppError('UNAUTHENTICATED', 'The API key is not known, has expired or was revoked.');
    }
    const { viewer, allowedOrigins } = known;
    if (allowedOrigins.length > 0 && (origin === undefined || !allowedOrigins.includes(origin))) {
      throw new AppError('FORBIDDEN', `The API key is for pages of other origins than ${origin ?? 'none'}.`);
    }
    const recheck = async () => void (await find(apiKey, origin));
    const publishedOnly = apiKey.startsWith(PUBLISHABLE_PREFIX);
    return { viewer, publishedOnly, validForMs: () => API_KEY_TTL_MS, recheck };
  };
  return find;
}

// Caches hold digests: a dump of the memory gives no credentials away.
function digestOf(credential: string): string {
  return hash('sha256', credential, 'base64');
}

const LOOK_UP =
  'query AuthenticateApiKey($apiKey: String!) { authenticateApiKey(apiKey: $apiKey) { apiKeyId tenantId scopes allowedOrigins expiresAt } }';
const LOOKED_UP = z.object({
  data: z.object({
    authenticateApiKey: z
      .object({
        apiKeyId: z.string().transform((id): ApiKeyId => decodeGlobalId('ApiKey', id)),
        tenantId: z.string().transform((id): TenantId => decodeGlobalId('Tenant', id)),
        scopes: z.array(z.string().transform((scope) => scope as Scope)),
        allowedOrigins: z.array(z.string()),
        expiresAt: z.iso.datetime().nullable(),
      })
      .nullable(),
  }),
});

async function lookUpApiKey(client: SubgraphClient, apiKey: string): Promise<ApiKey | null> {
  // A look-up may be shared by many requests: none of them ends it.
  using deadline = new Deadline();
  const context = {
    viewer: { kind: 'system', scopes: [] } as const,
    traceId: newTraceId(),
    signal: deadline.signal,
    deadlineAt: deadline.deadlineAt,
  };
  const answer = await client.request('tenant', { query: LOOK_UP, variables: { apiKey } }, context);
  const parsed = LOOKED_UP.safeParse(answer);
  if (!parsed.success)
    throw new Error(`The tenant subgraph did not look up an API key: ${JSON.stringify(answer.errors)}`);
  const found = parsed.data.data.authenticateApiKey;
  if (found === null) return null;
  const { apiKeyId, tenantId, scopes, allowedOrigins, expiresAt } = found;
  return {
    viewer: { kind: 'apiKey', apiKeyId, tenantId, scopes },
    allowedOrigins,
    expiresAtMs: expiresAt === null ? null : Date.parse(expiresAt),
  };
}
