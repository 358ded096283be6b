import { afterAll, beforeAll, expect, test } from 'vitest';
import { ANONYMOUS, createTestSubgraph, type TestSubgraph } from './test-subgraph.ts';

interface SignedUp {
  signUp: {
    session: { viewer: { role: string; account: object; tenant: { id: string; slug: string } } } | null;
    userErrors: { code: string; message: string; path: string[] }[];
  };
}

const SIGN_UP = `mutation ($input: SignUpInput!) {
  signUp(input: $input) {
    session { viewer { role scopes account { email displayName } tenant { id name slug demoSource simulated createdAt } } }
    userErrors { code message path }
  }
}`;

let subgraph: TestSubgraph;
beforeAll(async () => {
  subgraph = await createTestSubgraph();
});
afterAll(() => subgraph[Symbol.asyncDispose]());

let lastNumber = 0;
function newInput(fields: object = {}) {
  const email = `person-${++lastNumber}@example.com`;
  return { tenantName: `Tenant ${lastNumber}`, email, password: 'correct horse', displayName: 'Ann', ...fields };
}

async function signUp(input: object): Promise<SignedUp['signUp']> {
  return (await subgraph.read<SignedUp>(ANONYMOUS, SIGN_UP, { input })).signUp;
}

test('signing up creates a tenant with its owner and signs the owner in', async () => {
  const input = newInput({
    tenantName: '  Crème & Co ',
    email: ' Ann@Example.COM',
    demoSource: 'MovieLens',
    simulated: true,
  });
  const { session, userErrors } = await signUp(input);
  expect(userErrors).toEqual([]);
  expect(session?.viewer).toMatchObject({
    role: 'OWNER',
    scopes: expect.arrayContaining(['tenant:manage', 'models:train']),
    account: { email: 'ann@example.com', displayName: 'Ann' },
    tenant: {
      name: 'Crème & Co',
      slug: 'creme-co',
      demoSource: 'MovieLens',
      simulated: true,
      createdAt: expect.any(String),
    },
  });
});

test('tenants of one name get slugs of their own, at once too', async () => {
  const inputs = Array.from({ length: 5 }, () => newInput({ tenantName: 'Same Name' }));
  const answers = await Promise.all(inputs.map(signUp));
  const slugs = answers.map(({ session }) => session?.viewer.tenant.slug ?? '');
  expect(new Set(slugs).size).toBe(5);
  expect(slugs).toContain('same-name');
  for (const slug of slugs) expect(slug).toMatch(/^same-name(-[0-9a-f]{8})?$/);
});

test('an address in any case that has an account is taken, and nothing is created', async () => {
  const input = newInput();
  await signUp(input);
  const repeated = newInput({ email: input.email.toUpperCase(), tenantName: 'Never made' });
  const message = `email must be new here, got "${input.email}", which has an account: sign in instead.`;
  expect(await signUp(repeated)).toEqual({ session: null, userErrors: [{ code: 'TAKEN', message, path: ['email'] }] });
  const { session } = await signUp(newInput({ tenantName: 'Never made' }));
  expect(session?.viewer.tenant.slug).toBe('never-made');
});

test.each([
  [{ tenantName: '  ' }, 'tenantName', 'tenantName must be 1-80 characters, got 0.'],
  [{ tenantName: '👍'.repeat(81) }, 'tenantName', 'tenantName must be 1-80 characters, got 81.'],
  [{ tenantName: 'a\0b' }, 'tenantName', 'tenantName must be text, got a control character at position 1.'],
  [{ email: 'not an address' }, 'email', 'email must be an e-mail address, got "not an address".'],
  [
    { email: `${'x'.repeat(250)}@example.com` },
    'email',
    `email must be an e-mail address, got "${'x'.repeat(250)}@example.com".`,
  ],
  [{ password: 'elevenchars' }, 'password', 'password must be 12-200 characters, got 11.'],
  [{ password: 'x'.repeat(201) }, 'password', 'password must be 12-200 characters, got 201.'],
  [{ displayName: '' }, 'displayName', 'displayName must be 1-80 characters, got 0.'],
  [{ demoSource: '' }, 'demoSource', 'demoSource must be 1-200 characters, got 0.'],
  [{ idempotencyKey: '' }, 'idempotencyKey', 'idempotencyKey must be 1-200 characters, got 0.'],
])('signing up with %j says what was wanted and got', async (fields, field, message) => {
  const userErrors = [{ code: 'INVALID', message, path: [field] }];
  expect(await signUp(newInput(fields))).toEqual({ session: null, userErrors });
});

test('everything that is wrong is said at once, and the password is not repeated', async () => {
  const { userErrors } = await signUp({ tenantName: '', email: '', password: 'secret', displayName: '' });
  expect(userErrors.map(({ path }) => path[0])).toEqual(['tenantName', 'email', 'password', 'displayName']);
  expect(JSON.stringify(userErrors)).not.toContain('secret');
});

test('the same call with an idempotency key has one effect and the same tenant as its answer, also at once', async () => {
  const input = newInput({ idempotencyKey: 'key' });
  const answers = await Promise.all(Array.from({ length: 4 }, () => signUp(input)));
  const ids = answers.map(({ session }) => session?.viewer.tenant.id);
  expect(new Set(ids).size).toBe(1);
  expect(ids[0]).toMatch(/^ten_/);
});

test.each([
  { password: 'another password' },
  { tenantName: 'Another' },
  { displayName: 'Bob' },
  { simulated: true },
  { idempotencyKey: null },
])('a repeated call with %j is no repeat: the address is taken', async (fields) => {
  const input = newInput({ idempotencyKey: 'key' });
  await signUp(input);
  expect(await signUp({ ...input, ...fields })).toMatchObject({
    session: null,
    userErrors: [{ code: 'TAKEN', path: ['email'] }],
  });
});
