import type { AccountId, TenantId } from '@kindred/domain/ids';
import type { MemberRole } from '@kindred/domain/viewer';
import { DatabaseError } from 'pg';
import type { Db } from './client.ts';
import { TakenError } from './taken-error.ts';
import type { TenantTx } from './tenants.ts';
import { translateDatabaseError } from './translate-database-error.ts';

export interface AccountRow {
  id: AccountId;
  email: string;
  displayName: string;
  createdAt: Date;
}

export interface SignUp {
  tenantId: TenantId;
  tenantName: string;
  tenantSlug: string;
  demoSource: string | null;
  simulated: boolean;
  accountId: AccountId;
  email: string;
  displayName: string;
  passwordHash: string;
}

export interface SignIn {
  accountId: AccountId;
  passwordHash: string;
  tenantId: TenantId;
  role: MemberRole;
}

/**
 * Creates a tenant and the account that owns it, or neither. Addresses are kept in lower case.
 * @throws TakenError when the slug or the e-mail address is in use.
 */
export async function signUp(db: Db, input: SignUp): Promise<void> {
  const email = normalizeEmail(input.email);
  try {
    await db.pool.query('SELECT auth_sign_up($1, $2, $3, $4, $5, $6, $7, $8, $9)', [
      input.tenantId,
      input.tenantName,
      input.tenantSlug,
      input.demoSource,
      input.simulated,
      input.accountId,
      email,
      input.displayName,
      input.passwordHash,
    ]);
  } catch (error) {
    const constraint = error instanceof DatabaseError ? error.constraint : undefined;
    if (constraint === 'accounts_email_key') {
      throw new TakenError('email', email);
    }
    if (constraint === 'tenants_slug_key') {
      throw new TakenError('slug', input.tenantSlug);
    }
    throw translateDatabaseError(error);
  }
}

/** The account behind an e-mail address (any case) with its oldest membership. */
export async function findSignIn(db: Db, email: string): Promise<SignIn | null> {
  if (email.includes('\0')) {
    return null; // no stored address holds it, and PostgreSQL refuses the question
  }
  const { rows } = await db.pool.query<SignIn>(
    `SELECT account_id AS "accountId", password_hash AS "passwordHash", tenant_id AS "tenantId", role
       FROM auth_find_sign_in($1)`,
    [normalizeEmail(email)],
  );
  return rows[0] ?? null;
}

/** The members of the tenant among `ids`, in no order. */
export async function findAccounts(tx: TenantTx, ids: readonly AccountId[]): Promise<AccountRow[]> {
  const rows = await tx.client.account.findMany({ where: { id: { in: [...ids] } }, omit: { passwordHash: true } });
  return rows as AccountRow[];
}

function normalizeEmail(email: string): string {
  return email.trim().toLowerCase();
}
