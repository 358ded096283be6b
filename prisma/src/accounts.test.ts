import { newId } from '@kindred/domain/ids';
import { createTwoTenants } from '@kindred/testing/two-tenants';
import { expect, test } from 'vitest';
import { findAccounts, findSignIn, type SignUp, signUp } from './accounts.ts';
import { TakenError } from './taken-error.ts';
import { findTenants, withTenant } from './tenants.ts';

function newSignUp(changes: Partial<SignUp> = {}): SignUp {
  return {
    tenantId: newId('Tenant'),
    tenantName: 'Lantern Books',
    tenantSlug: 'lantern-books',
    demoSource: 'MovieLens ml-latest-small',
    simulated: true,
    accountId: newId('Account'),
    email: 'Ada@Example.com',
    displayName: 'Ada',
    passwordHash: 'argon2',
    ...changes,
  };
}

test('signing up makes a tenant, its owner and a way to sign in, whatever the case of the address', async () => {
  await using world = await createTwoTenants();
  const input = newSignUp();
  await signUp(world.db, input);
  expect(await findSignIn(world.db, ' ADA@example.COM')).toEqual({
    accountId: input.accountId,
    tenantId: input.tenantId,
    passwordHash: 'argon2',
    role: 'OWNER',
  });
  const [tenant] = await withTenant(world.db, input.tenantId, (tx) => findTenants(tx, [input.tenantId]));
  expect(tenant).toMatchObject({ name: 'Lantern Books', demoSource: 'MovieLens ml-latest-small', simulated: true });
});

test.each([
  ['email', { tenantSlug: 'other' }],
  ['slug', { email: 'other@example.com' }],
] as const)('a taken %s is named and leaves nothing behind', async (field, changes) => {
  await using world = await createTwoTenants();
  await signUp(world.db, newSignUp());
  const second = newSignUp(changes);
  const error = await signUp(world.db, second).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(TakenError);
  expect(error).toMatchObject({ field });
  expect(await withTenant(world.db, second.tenantId, (tx) => findTenants(tx, [second.tenantId]))).toEqual([]);
});

test('of concurrent sign-ups with one address exactly one succeeds', async () => {
  await using world = await createTwoTenants();
  const results = await Promise.allSettled(
    Array.from({ length: 10 }, (_, n) => signUp(world.db, newSignUp({ tenantSlug: `slug-${n}` }))),
  );
  expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
});

test('an unknown address finds nobody', async () => {
  await using world = await createTwoTenants();
  expect(await findSignIn(world.db, 'nobody@example.com')).toBeNull();
  expect(await findSignIn(world.db, 'a\u0000@example.com')).toBeNull();
});

test('a tenant finds its own members and nobody else, and no password', async () => {
  await using world = await createTwoTenants();
  const { ours, theirs } = world;
  const found = await withTenant(world.db, ours.tenantId, (tx) => findAccounts(tx, [ours.accountId, theirs.accountId]));
  expect(found).toEqual([
    { id: ours.accountId, email: ours.email, displayName: 'Owner of Ours', createdAt: expect.any(Date) as Date },
  ]);
});
