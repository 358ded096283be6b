import { decodeGlobalId, encodeGlobalId, newId } from '@kindred/domain/ids';
import { scopesOfApiKeyKind, scopesOfRole, type Viewer } from '@kindred/domain/viewer';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ANONYMOUS, createTestSubgraph, signUpTenant, SYSTEM, type TestSubgraph } from './test-subgraph.ts';

interface Created {
  createApiKey: { apiKey: { id: string; preview: string } | null; secret: string | null; userErrors: object[] };
}
interface Revoked {
  revokeApiKey: { apiKey: { id: string; revokedAt: string | null } | null; userErrors: object[] };
}
interface Listed {
  tenant: {
    apiKeys: { edges: { node: { name: string } }[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } };
  };
}

const CREATE = `mutation ($input: CreateApiKeyInput!) {
  createApiKey(input: $input) { apiKey { id name kind preview createdAt revokedAt } secret userErrors { code message path } }
}`;
const REVOKE = `mutation ($input: RevokeApiKeyInput!) {
  revokeApiKey(input: $input) { apiKey { id revokedAt } userErrors { code message path } }
}`;
const AUTHENTICATE =
  'query ($apiKey: String!) { authenticateApiKey(apiKey: $apiKey) { apiKeyId tenantId scopes allowedOrigins expiresAt } }';
const ROTATE = `mutation ($input: RotateApiKeyInput!) {
  rotateApiKey(input: $input) { apiKey { id preview name kind scopes } secret userErrors { code message path } }
}`;
const LIST = `query ($first: Int!, $after: String) {
  tenant { apiKeys(first: $first, after: $after) { edges { node { name } } pageInfo { hasNextPage endCursor } } }
}`;

let subgraph: TestSubgraph;
beforeAll(async () => {
  subgraph = await createTestSubgraph();
});
afterAll(() => subgraph[Symbol.asyncDispose]());

async function create(viewer: Viewer, fields: object = {}): Promise<Created['createApiKey']> {
  const input = { name: 'Shop', kind: 'PUBLISHABLE', ...fields };
  return (await subgraph.read<Created>(viewer, CREATE, { input })).createApiKey;
}

async function revoke(viewer: Viewer, apiKeyId: string | undefined): Promise<Revoked['revokeApiKey']> {
  return (await subgraph.read<Revoked>(viewer, REVOKE, { input: { apiKeyId } })).revokeApiKey;
}

function authenticate(apiKey: string | null): Promise<unknown> {
  return subgraph.read(SYSTEM, AUTHENTICATE, { apiKey });
}

test.each([
  ['PUBLISHABLE', /^kp_[0-9a-hjkmnp-tv-z]{32}$/],
  ['SECRET', /^ks_[0-9a-hjkmnp-tv-z]{32}$/],
] as const)('a %s key stands for its tenant and the scopes of its kind', async (kind, shape) => {
  const { viewer, tenantId } = await signUpTenant(subgraph);
  const { apiKey, secret, userErrors } = await create(viewer, { name: ' Shop ', kind });
  expect(userErrors).toEqual([]);
  expect(secret).toMatch(shape);
  expect(apiKey).toMatchObject({
    name: 'Shop',
    kind,
    preview: secret?.slice(0, 8),
    createdAt: expect.any(String),
    revokedAt: null,
  });
  const credentials = {
    apiKeyId: apiKey?.id,
    tenantId: encodeGlobalId('Tenant', tenantId),
    scopes: scopesOfApiKeyKind(kind),
    allowedOrigins: [],
    expiresAt: null,
  };
  expect(await authenticate(secret)).toEqual({ authenticateApiKey: credentials });
});

test('the database holds no secret, only its digest', async () => {
  const { viewer, tenantId } = await signUpTenant(subgraph);
  const { secret } = await create(viewer);
  const rows = await subgraph.db.prisma.$transaction(async (tx) => {
    await tx.$queryRaw`SELECT set_config('app.tenant_id', ${tenantId}, true)`;
    return tx.$queryRaw<{ row: string }[]>`SELECT to_jsonb(k)::text AS row FROM api_keys k`;
  });
  expect(rows).toHaveLength(1);
  expect(rows[0]?.row).not.toContain(secret?.slice(8));
});

test('a mistyped, unknown or empty key stands for nothing', async () => {
  const { viewer } = await signUpTenant(subgraph);
  const { secret } = await create(viewer);
  const mistyped = `${secret?.slice(0, -1)}${secret?.endsWith('0') ? '1' : '0'}`;
  for (const apiKey of [mistyped, '', 'kp_', 'kp_\0', 'x'.repeat(10_000)]) {
    expect(await authenticate(apiKey)).toEqual({ authenticateApiKey: null });
  }
});

test('only the gateway itself may ask what a key stands for', async () => {
  const { viewer } = await signUpTenant(subgraph);
  const { secret } = await create(viewer, { kind: 'SECRET' });
  for (const asking of [ANONYMOUS, viewer]) {
    const { data, errors } = await subgraph.ask(asking, AUTHENTICATE, { apiKey: secret });
    expect(data).toEqual({ authenticateApiKey: null });
    expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
  }
});

test('a key may be given fewer scopes, an end and origins, and stands for exactly these', async () => {
  const { viewer } = await signUpTenant(subgraph);
  const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
  const rules = { scopes: ['recommendations:read'], allowedOrigins: ['https://shop.example'], expiresAt };
  const { secret, userErrors } = await create(viewer, rules);
  expect(userErrors).toEqual([]);
  expect(await authenticate(secret)).toMatchObject({ authenticateApiKey: rules });
});

test.each([
  [{ scopes: [] }, ['scopes'], 'scopes must be one or more, got none.'],
  [
    { scopes: ['catalog:read', 'tenant:manage'] },
    ['scopes', '1'],
    'A PUBLISHABLE key can have the scopes recommendations:read, interactions:write, catalog:read, got "tenant:manage".',
  ],
  [
    { kind: 'SECRET', scopes: ['tenant:manage'] },
    ['scopes', '0'],
    'A SECRET key can have the scopes tenant:read, catalog:read, models:read, recommendations:read, catalog:write, interactions:write, models:train, privacy:manage, documents:publish, got "tenant:manage".',
  ],
  [
    { expiresAt: '2020-01-01T00:00:00.000Z' },
    ['expiresAt'],
    'expiresAt must lie ahead, within 10 years, got 2020-01-01T00:00:00.000Z.',
  ],
  [
    { kind: 'SECRET', allowedOrigins: ['https://shop.example'] },
    ['allowedOrigins'],
    'allowedOrigins are for PUBLISHABLE keys, got a SECRET one.',
  ],
  [
    { allowedOrigins: Array.from({ length: 21 }, (_, n) => `https://${n}.example`) },
    ['allowedOrigins'],
    'allowedOrigins must be 1-20, got 21.',
  ],
  ...[
    '*',
    'null',
    'shop.example',
    'https://shop.example/',
    'https://*.example/x',
    'HTTPS://SHOP.EXAMPLE',
    'file:///a',
  ].map((origin): [object, string[], string] => [
    { allowedOrigins: [origin] },
    ['allowedOrigins', '0'],
    `An allowed origin must read like https://shop.example or http://localhost:3000, got "${origin}".`,
  ]),
] as [object, string[], string][])(
  'a key with %j is refused with what was wanted and got',
  async (fields, path, message) => {
    const { viewer } = await signUpTenant(subgraph);
    expect(await create(viewer, fields)).toEqual({
      apiKey: null,
      secret: null,
      userErrors: [{ code: 'INVALID', message, path }],
    });
  },
);

test('rotating a key gives one alike; both work until the old one ends, and a third is refused', async () => {
  const { viewer } = await signUpTenant(subgraph);
  const { viewer: foreign } = await signUpTenant(subgraph);
  const { apiKey, secret } = await create(viewer, { kind: 'SECRET', scopes: ['models:read'] });
  const rotate = async (apiKeyId: string | undefined, fields: object = {}, asking = viewer) => {
    const input = { apiKeyId, ...fields };
    return (await subgraph.read<{ rotateApiKey: Created['createApiKey'] }>(asking, ROTATE, { input })).rotateApiKey;
  };
  expect(await rotate(apiKey?.id, {}, foreign)).toMatchObject({ apiKey: null, userErrors: [{ code: 'NOT_FOUND' }] });
  expect(await rotate('rubbish')).toMatchObject({ userErrors: [{ code: 'INVALID', path: ['apiKeyId'] }] });
  const tooLong = { overlapMinutes: 43_201 };
  expect(await rotate(apiKey?.id, tooLong)).toMatchObject({ userErrors: [{ path: ['overlapMinutes'] }] });
  const next = await rotate(apiKey?.id);
  expect(next).toMatchObject({ apiKey: { name: 'Shop', kind: 'SECRET', scopes: ['models:read'] }, userErrors: [] });
  for (const works of [secret, next.secret]) {
    expect(await authenticate(works)).toMatchObject({ authenticateApiKey: { scopes: ['models:read'] } });
  }
  expect(await rotate(apiKey?.id)).toMatchObject({ apiKey: null, userErrors: [{ code: 'CONFLICT' }] });
  await revoke(viewer, apiKey?.id);
  expect(await authenticate(secret)).toEqual({ authenticateApiKey: null });
  expect(await rotate(apiKey?.id)).toMatchObject({ apiKey: null, userErrors: [{ code: 'CONFLICT' }] });
  expect(await rotate(next.apiKey?.id, { overlapMinutes: 0 })).toMatchObject({ userErrors: [] });
  expect(await authenticate(next.secret)).toEqual({ authenticateApiKey: null });
});

test('a revoked key stands for nothing, and revoking again keeps the first time', async () => {
  const { viewer } = await signUpTenant(subgraph);
  const { apiKey, secret } = await create(viewer);
  const first = await revoke(viewer, apiKey?.id);
  expect(first).toEqual({ apiKey: { id: apiKey?.id, revokedAt: expect.any(String) }, userErrors: [] });
  expect(await authenticate(secret)).toEqual({ authenticateApiKey: null });
  expect(await revoke(viewer, apiKey?.id)).toEqual(first);
});

test('100 parallel calls with one idempotency key create one key; its secret is in the first answer alone', async () => {
  const { viewer } = await signUpTenant(subgraph);
  const answers = await Promise.all(Array.from({ length: 100 }, () => create(viewer, { idempotencyKey: 'k' })));
  expect(new Set(answers.map(({ apiKey }) => apiKey?.id)).size).toBe(1);
  expect(answers.filter(({ secret }) => secret !== null)).toHaveLength(1);
  const { tenant } = await subgraph.read<Listed>(viewer, LIST, { first: 10 });
  expect(tenant.apiKeys.edges).toHaveLength(1);
  const { errors } = await subgraph.ask(viewer, CREATE, {
    input: { name: 'Other', kind: 'SECRET', idempotencyKey: 'k' },
  });
  expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
});

test.each([
  [{ name: ' ' }, 'name', 'name must be 1-80 characters, got 0.'],
  [{ name: 'x'.repeat(81) }, 'name', 'name must be 1-80 characters, got 81.'],
  [{ name: 'a\u0007' }, 'name', 'name must be text, got a control character at position 1.'],
  [{ idempotencyKey: '' }, 'idempotencyKey', 'idempotencyKey must be 1-200 characters, got 0.'],
])('creating a key with %j says what was wanted and got', async (fields, field, message) => {
  const { viewer } = await signUpTenant(subgraph);
  const userErrors = [{ code: 'INVALID', message, path: [field] }];
  expect(await create(viewer, fields)).toEqual({ apiKey: null, secret: null, userErrors });
});

test.each([
  ['rubbish', 'INVALID', '"rubbish" is no ApiKey id: wanted "key_" and 32 hex digits.'],
  [`key_${'0'.repeat(32)}`, 'NOT_FOUND', `apiKeyId must be that of a key of this tenant, got "key_${'0'.repeat(32)}".`],
])('revoking %j says what was wanted and got', async (apiKeyId, code, message) => {
  const { viewer } = await signUpTenant(subgraph);
  expect(await revoke(viewer, apiKeyId)).toEqual({ apiKey: null, userErrors: [{ code, message, path: ['apiKeyId'] }] });
});

test('keys page newest first, each once', async () => {
  const { viewer } = await signUpTenant(subgraph);
  for (const name of ['1', '2', '3', '4', '5']) await create(viewer, { name });
  const seen: string[][] = [];
  for (let after: string | null = null, more = true; more; ) {
    const { tenant }: Listed = await subgraph.read<Listed>(viewer, LIST, { first: 2, after });
    seen.push(tenant.apiKeys.edges.map(({ node }) => node.name));
    after = tenant.apiKeys.pageInfo.endCursor;
    more = tenant.apiKeys.pageInfo.hasNextPage;
  }
  expect(seen).toEqual([['5', '4'], ['3', '2'], ['1']]);
});

test.each([
  [{ first: 0 }, 'first must be 1-100, got 0.'],
  [{ first: 5, after: 'eA' }, '"x" is no ApiKey id: wanted "key_" and 32 hex digits.'],
])('a page of %j is refused with what was wanted and got', async (variables, message) => {
  const { viewer } = await signUpTenant(subgraph);
  const { errors } = await subgraph.ask(viewer, LIST, variables);
  expect(errors).toMatchObject([{ message, extensions: { code: 'BAD_USER_INPUT' } }]);
});

test("a tenant neither lists nor revokes another's keys, and its idempotency keys are its own", async () => {
  const { viewer } = await signUpTenant(subgraph);
  const { viewer: foreign } = await signUpTenant(subgraph);
  const { apiKey, secret } = await create(viewer, { idempotencyKey: 'same' });
  expect((await subgraph.read<Listed>(foreign, LIST, { first: 10 })).tenant.apiKeys.edges).toEqual([]);
  expect(await revoke(foreign, apiKey?.id)).toMatchObject({ apiKey: null, userErrors: [{ code: 'NOT_FOUND' }] });
  expect(await authenticate(secret)).toMatchObject({ authenticateApiKey: { apiKeyId: apiKey?.id } });
  const theirs = await create(foreign, { idempotencyKey: 'same' });
  expect(theirs.secret).not.toBeNull();
  expect(theirs.apiKey?.id).not.toBe(apiKey?.id);
});

test('members, viewers and keys manage no keys', async () => {
  const { viewer, tenantId, accountId } = await signUpTenant(subgraph);
  const { apiKey } = await create(viewer, { kind: 'SECRET' });
  const apiKeyId = decodeGlobalId('ApiKey', apiKey?.id ?? '');
  const weak: Viewer[] = [
    { kind: 'account', accountId, tenantId, role: 'MEMBER', scopes: scopesOfRole('MEMBER') },
    { kind: 'account', accountId, tenantId, role: 'VIEWER', scopes: scopesOfRole('VIEWER') },
    { kind: 'apiKey', apiKeyId, tenantId, scopes: scopesOfApiKeyKind('SECRET') },
    { kind: 'apiKey', apiKeyId: newId('ApiKey'), tenantId, scopes: scopesOfApiKeyKind('PUBLISHABLE') },
  ];
  for (const asking of weak) {
    const answers = [
      await subgraph.ask(asking, CREATE, { input: { name: 'n', kind: 'SECRET' } }),
      await subgraph.ask(asking, REVOKE, { input: { apiKeyId: apiKey?.id } }),
      await subgraph.ask(asking, LIST, { first: 1 }),
    ];
    expect(answers.map(({ errors }) => errors?.[0]?.extensions.code)).toEqual(['FORBIDDEN', 'FORBIDDEN', 'FORBIDDEN']);
  }
});
