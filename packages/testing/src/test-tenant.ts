import { randomBytes } from 'node:crypto';
import { signUp } from '@kindred/db/accounts';
import type { Db } from '@kindred/db/client';
import { type AccountId, newId, type TenantId } from '@kindred/domain/ids';
import { scopesOfRole, type Viewer } from '@kindred/domain/viewer';

/** A tenant with its owner. */
export interface TestTenant {
  tenantId: TenantId;
  accountId: AccountId;
  email: string;
  /** The owner, with all of an owner's scopes. */
  viewer: Extract<Viewer, { kind: 'account' }>;
}

/** Signs up a tenant of this name; its slug and e-mail address are unique. The account can not sign in by password. */
export async function createTestTenant(db: Db, name = 'Test tenant'): Promise<TestTenant> {
  const [tenantId, accountId] = [newId('Tenant'), newId('Account')];
  const suffix = randomBytes(6).toString('hex');
  const email = `owner-${suffix}@example.com`;
  await signUp(db, {
    tenantId,
    tenantName: name,
    tenantSlug: `test-${suffix}`,
    demoSource: null,
    simulated: false,
    accountId,
    email,
    displayName: `Owner of ${name}`,
    passwordHash: 'none',
  });
  const viewer = { kind: 'account', accountId, tenantId, role: 'OWNER', scopes: scopesOfRole('OWNER') } as const;
  return { tenantId, accountId, email, viewer };
}
