import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { decodeGlobalId } from '@kindred/domain/ids';
import { type Role, scopesOfApiKeyKind, scopesOfRole, type Viewer } from '@kindred/domain/viewer';
import { connectRedis } from '@kindred/service/redis';
import { testInfrastructure } from '@kindred/testing/infrastructure';
import { createSubgraphClient } from '@kindred/testing/subgraph-client';
import { buildSchema, getNamedType, isLeafType, isObjectType } from 'graphql';
import { importJWK, type JWK, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type GeneratedOperation, generateOperations, listFields } from './operations.ts';
import { type Servers, startServers, SUBGRAPHS } from './servers.ts';
import { type CanaryTenant, openCanaryTenant } from './world.ts';

const schema = buildSchema(readFileSync(new URL('../../gateway/api.graphql', import.meta.url), 'utf8'));
const supergraph = readFileSync(new URL('../../gateway/supergraph.graphql', import.meta.url), 'utf8');

/** What anybody may ask; everything else needs a credential. */
const PUBLIC = [
  'Query.viewer',
  'Mutation.signUp',
  'Mutation.signIn',
  'Mutation.refreshSession',
  'Mutation.signOut',
  'Mutation.acceptInvitation',
];
// These end what the other tests need, or take long by design; each has tests of its own.
const NOT_SENT_BY_ITS_OWNER = ['Mutation.signOut', 'Mutation.signIn'];

let servers: Servers;
let victim: CanaryTenant;
let attacker: CanaryTenant;
let operations: GeneratedOperation[];
let covered: Set<string>;
beforeAll(async () => {
  servers = await startServers();
  [victim, attacker] = [await openCanaryTenant(servers), await openCanaryTenant(servers)];
  ({ operations, covered } = generateOperations(schema, victim.known));
});
afterAll(() => servers[Symbol.asyncDispose]());

interface Outcome {
  status: number;
  text: string;
  codes: string[];
}

/** What an operation with this credential is answered; of a subscription what comes in its first moments. */
async function send(
  { kind, document }: Pick<GeneratedOperation, 'kind' | 'document'>,
  headers: Record<string, string>,
): Promise<Outcome> {
  const isStream = kind === 'subscription';
  const stop = new AbortController();
  const response = await fetch(`${servers.gatewayUrl}/graphql${isStream ? '/stream' : ''}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: isStream ? 'text/event-stream' : 'application/json',
      'x-forwarded-for': `2001:db8:${randomUUID().slice(9, 23).replaceAll('-', ':')}::1`,
      ...headers,
    },
    body: JSON.stringify({ query: document }),
    signal: stop.signal,
  });
  const text = isStream ? await firstMoments(response, stop) : await response.text();
  return {
    status: response.status,
    text,
    codes: [...text.matchAll(/"code":"([A-Z_]+)"/g)].map((match) => String(match[1])),
  };
}

async function firstMoments(response: Response, stop: AbortController): Promise<string> {
  let text = '';
  const reading = (async () => {
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) text += chunk;
  })().catch(() => undefined);
  // A document as large as these takes a busy machine seconds to plan.
  for (let waitedMs = 0; waitedMs < 10_000 && !text.includes('event: next'); waitedMs += 100) {
    await Promise.race([reading, wait(100)]);
    if (text.includes('event: complete')) break;
  }
  await Promise.race([reading, wait(1_500)]);
  stop.abort();
  await reading;
  return text;
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

/** The tenant's texts, and those of its ids that the operation did not say itself. */
function foreignBytes(tenant: CanaryTenant, { document }: GeneratedOperation, text: string): string[] {
  const ids = Object.values(tenant.ids).filter((id) => !document.includes(id));
  return [tenant.canary, tenant.secretKey, ...ids].filter((secret) => text.includes(secret));
}

/** A session of the platform's own key: of a role, or one that has expired. */
async function signSession(tenant: CanaryTenant, options: { role?: Role; expiresAt?: number } = {}) {
  const { role = 'OWNER', expiresAt = '10m' } = options;
  return new SignJWT({ tenant: tenant.tenantId, role })
    .setProtectedHeader({ alg: 'EdDSA' })
    .setIssuer('kindred')
    .setAudience('kindred-api')
    .setSubject(decodeGlobalId('Account', tenant.ids.Account))
    .setIssuedAt()
    .setExpirationTime(expiresAt)
    .sign(await importJWK(servers.sessionSigningKey as JWK, 'EdDSA'));
}

/** The scopes that a root field asks for: one of these sets. Null when the schema asks for none. */
function scopesOf({ coordinate }: GeneratedOperation): string[][] | null {
  const [type, field] = coordinate.split('.');
  const body = supergraph.slice(supergraph.indexOf(`\ntype ${type}\n`));
  const declared = body.slice(body.search(new RegExp(`\\n  ${field}[(:]`)));
  const line = declared.slice(0, declared.search(/@join__field\([^)]*\)[^\n]*\n/) + 400).split('@join__field')[1] ?? '';
  const match = /^[^\n]*@requiresScopes\(scopes: (\[\[.*?\]\])\)/.exec(line);
  return match === null ? null : (JSON.parse(String(match[1])) as string[][]);
}

test('the operations select every field of the schema', () => {
  expect(listFields(schema).filter((field) => !covered.has(field))).toEqual([]);
});

test('the tenant itself sees its canary in most of its queries, so that the matrix can fail', async () => {
  const seen: string[] = [];
  for (const operation of operations.filter(({ kind }) => kind !== 'mutation')) {
    const { text } = await send(operation, bearer(victim.accessToken));
    if (text.includes(victim.canary)) seen.push(operation.coordinate);
  }
  expect(seen).toEqual(
    expect.arrayContaining([
      'Query.item',
      'Query.items',
      'Query.model',
      'Query.models',
      'Query.trainingRun',
      'Query.trainingRuns',
      'Query.viewer',
      'Query.tenant',
      'Query.import',
      'Query.imports',
      'Subscription.trainingProgress',
      'Subscription.importProgress',
      'Query.tuning',
      'Subscription.tuningProgress',
      'Query.batchRecommendation',
      'Subscription.batchRecommendationProgress',
    ]),
  );
});

describe('asking for another tenant’s things by their ids', () => {
  test.each(['OWNER', 'OPERATOR'] as const)('as %s of another tenant gives no foreign byte', async (role) => {
    const token = await signSession(attacker, { role });
    const leaks: string[] = [];
    for (const operation of operations.filter(({ coordinate }) => !NOT_SENT_BY_ITS_OWNER.includes(coordinate))) {
      const { text } = await send(operation, bearer(token));
      leaks.push(...foreignBytes(victim, operation, text).map((secret) => `${operation.coordinate}: ${secret}`));
    }
    expect(leaks).toEqual([]);
  });

  test('with a secret key of another tenant gives no foreign byte', async () => {
    const leaks: string[] = [];
    for (const operation of operations) {
      const { text } = await send(operation, { 'x-api-key': attacker.secretKey });
      leaks.push(...foreignBytes(victim, operation, text).map((secret) => `${operation.coordinate}: ${secret}`));
    }
    expect(leaks).toEqual([]);
  });
});

test('without a credential every field but the public ones is refused, and nothing is told', async () => {
  for (const operation of operations) {
    const { text } = await send(operation, {});
    expect(foreignBytes(victim, operation, text), operation.coordinate).toEqual([]);
    const { codes } = await send({ ...operation, document: operation.shallow }, {});
    if (!PUBLIC.includes(operation.coordinate)) expect(codes, operation.coordinate).toContain('UNAUTHENTICATED');
  }
});

test.each(['VIEWER', 'MEMBER', 'OPERATOR'] as const)(
  'as %s every field that asks for a scope of a stronger role is refused',
  async (role) => {
    const granted: readonly string[] = scopesOfRole(role);
    const token = await signSession(victim, { role });
    let refused = 0;
    for (const operation of operations) {
      const wanted = scopesOf(operation);
      if (wanted === null || wanted.some((set) => set.every((scope) => granted.includes(scope)))) continue;
      const { codes, text } = await send(operation, bearer(token));
      expect(codes, `${operation.coordinate}: ${text}`).toContain('FORBIDDEN');
      refused += 1;
    }
    expect(refused).toBeGreaterThan(6);
  },
);

test('an expired session, one of another key, and a revoked API key are refused for every field, with 401 and no data', async () => {
  const expired = await signSession(victim, { expiresAt: Math.floor(Date.now() / 1000) - 1 });
  const revoke = `mutation ($input: RevokeApiKeyInput!) { revokeApiKey(input: $input) { apiKey { revokedAt } } }`;
  const input = { apiKeyId: victim.secretKeyId };
  await send({ kind: 'query', document: '{ viewer { scopes } }' }, { 'x-api-key': victim.secretKey });
  await victim.client.ask({ query: revoke, variables: { input } });
  // The gateway may remember a key for ten seconds.
  await wait(10_500);
  const credentials = [
    bearer(expired),
    bearer(`${victim.accessToken.slice(0, -8)}AAAAAAAA`),
    { 'x-api-key': victim.secretKey },
  ];
  for (const headers of credentials) {
    for (const operation of operations) {
      const { status, text, codes } = await send(operation, headers);
      expect([status, codes], operation.coordinate).toEqual([401, ['UNAUTHENTICATED']]);
      expect(foreignBytes(victim, operation, text), operation.coordinate).toEqual([]);
    }
  }
});

test('_entities of every type resolves nothing of another tenant, at the subgraphs themselves', async () => {
  const apiKeyId = decodeGlobalId('ApiKey', attacker.ids.ApiKey);
  const accountId = decodeGlobalId('Account', attacker.ids.Account);
  const viewers: Viewer[] = [
    { kind: 'account', accountId, tenantId: attacker.tenantId, role: 'OWNER', scopes: scopesOfRole('OWNER') },
    { kind: 'apiKey', apiKeyId, tenantId: attacker.tenantId, scopes: scopesOfApiKeyKind('SECRET') },
    { kind: 'anonymous', scopes: [] },
    { kind: 'system', scopes: [] },
  ];
  const own: Viewer = {
    kind: 'account',
    accountId,
    tenantId: victim.tenantId,
    role: 'OWNER',
    scopes: scopesOfRole('OWNER'),
  };
  let seenByOwner = 0;
  for (const name of SUBGRAPHS) {
    const sdl = readFileSync(new URL(`../../subgraphs/${name}/schema.graphql`, import.meta.url), 'utf8');
    const types = [...sdl.matchAll(/^type (\w+)[^\n]*@key\(fields: "id"\)/gm)].map((match) => String(match[1]));
    const client = createSubgraphClient({ name, url: servers.urls[name] });
    for (const typeName of types) {
      const type = schema.getType(typeName);
      if (!isObjectType(type)) throw new Error(`${typeName} is no object type of the API`);
      const leaves = new RegExp(`^type ${typeName}\\b[^{]*\\{([\\s\\S]*?)^\\}`, 'm').exec(sdl)?.[1] ?? '';
      const fields = Object.values(type.getFields())
        .filter((field) => new RegExp(`^  ${field.name}:`, 'm').test(leaves) && isLeafType(getNamedType(field.type)))
        .map((field) => field.name);
      const id = victim.ids[typeName as keyof CanaryTenant['ids']];
      const query = `query ($r: [_Any!]!) { _entities(representations: $r) { ... on ${typeName} { ${fields.join(' ')} } } }`;
      const variables = { r: [{ __typename: typeName, id }] };
      for (const viewer of viewers) {
        const text = JSON.stringify(await client.ask(viewer, query, variables));
        expect(text.includes(victim.canary), `${name} ${typeName} ${viewer.kind}: ${text}`).toBe(false);
      }
      if (JSON.stringify(await client.ask(own, query, variables)).includes(victim.canary)) seenByOwner += 1;
    }
  }
  expect(seenByOwner).toBeGreaterThanOrEqual(4);
});

test('no log line, metric or Redis entry of the platform tells a tenant’s data', async () => {
  const places: Record<string, string> = { logs: servers.logs() };
  for (const [name, url] of Object.entries({ ...servers.urls, gateway: servers.gatewayUrl })) {
    places[`metrics of ${name}`] = await (await fetch(`${url}/metrics`)).text();
  }
  const redis = connectRedis(testInfrastructure().redisUrl);
  const keys = await redis.keys('*');
  const values = await Promise.all(keys.map(async (key) => `${key} ${(await redis.dump(key)) ?? ''}`));
  redis.disconnect();
  places.redis = values.join('\n');
  for (const name of [...SUBGRAPHS, 'gateway']) expect(places.logs).toContain(`"name":"${name}"`);
  for (const [place, text] of Object.entries(places)) {
    for (const tenant of [victim, attacker]) {
      for (const secret of [tenant.canary, tenant.secretKey, tenant.accessToken]) {
        expect(text.includes(secret), `${place} holds ${secret}`).toBe(false);
      }
    }
  }
});

test('after all of it, the attacked tenant has what it had', async () => {
  const { data } = await victim.client.ask<{ items: { edges: unknown[] }; models: { edges: unknown[] } }>({
    query: '{ items(first: 100) { edges { node { title } } } models(first: 100) { edges { node { name } } } }',
  });
  const ofCanary = (field: string, count: number) =>
    Array.from({ length: count }, () => ({ node: { [field]: victim.canary } }));
  expect(data).toEqual({ items: { edges: ofCanary('title', 2) }, models: { edges: ofCanary('name', 1) } });
});
