import { findAccounts, findSignIn, signUp as insertTenant, type SignIn, type SignUp } from '@kindred/db/accounts';
import { TakenError } from '@kindred/db/taken-error';
import { findTenants, withTenant } from '@kindred/db/tenants';
import { newId } from '@kindred/domain/ids';
import { checkOptionalText, checkText } from './check-text.ts';
import type { TenantServices } from './context.ts';
import { normaliseEmail } from './email.ts';
import type { SignUpInput, UserError } from './generated/resolvers.ts';
import { openSession, type Session } from './session.ts';
import { distinctSlug, slugOf } from './slug.ts';
import { userError } from './user-error.ts';

const SLUG_ATTEMPTS = 4;
const REPEAT_WINDOW_MS = 24 * 60 * 60 * 1000;

type NewTenant = Omit<SignUp, 'tenantSlug'>;

/** Creates a tenant with its owner and signs the owner in. Nothing is written when anything is wrong. */
export async function signUp(
  services: TenantServices,
  input: SignUpInput,
): Promise<{ session: Session | null; userErrors: UserError[] }> {
  const email = normaliseEmail(input.email);
  const userErrors = checkSignUp(input);
  if (email === null || userErrors.length > 0) return { session: null, userErrors };
  const wanted: NewTenant = {
    tenantId: newId('Tenant'),
    tenantName: input.tenantName.trim(),
    demoSource: input.demoSource ?? null,
    simulated: input.simulated ?? false,
    accountId: newId('Account'),
    email,
    displayName: input.displayName.trim(),
    passwordHash: await services.passwords.hash(input.password),
  };
  const owner = (await insertWithFreeSlug(services, wanted))
    ? { ...wanted, role: 'OWNER' as const }
    : await findFirstAnswer(services, wanted, input);
  if (owner !== null) return { session: await openSession(services, owner), userErrors: [] };
  const message = `email must be new here, got "${email}", which has an account: sign in instead.`;
  return { session: null, userErrors: [userError('TAKEN', message, ['email'])] };
}

function checkSignUp(input: SignUpInput): UserError[] {
  const emailErrors = [userError('INVALID', `email must be an e-mail address, got "${input.email}".`, ['email'])];
  return [
    ...checkText(input.tenantName.trim(), { field: 'tenantName', minChars: 1, maxChars: 80 }),
    ...(normaliseEmail(input.email) === null ? emailErrors : []),
    ...checkText(input.password, { field: 'password', minChars: 12, maxChars: 200 }),
    ...checkText(input.displayName.trim(), { field: 'displayName', minChars: 1, maxChars: 80 }),
    ...checkOptionalText(input.demoSource, { field: 'demoSource', maxChars: 200 }),
    ...checkOptionalText(input.idempotencyKey, { field: 'idempotencyKey', maxChars: 200 }),
  ];
}

/** Whether the tenant was created; false when the e-mail address is taken. The database's constraints decide both. */
async function insertWithFreeSlug(services: TenantServices, wanted: NewTenant): Promise<boolean> {
  const slug = slugOf(wanted.tenantName);
  for (let attempt = 0; attempt < SLUG_ATTEMPTS; attempt++) {
    try {
      await insertTenant(services.db, { ...wanted, tenantSlug: attempt === 0 ? slug : distinctSlug(slug) });
      return true;
    } catch (error) {
      if (!(error instanceof TakenError)) throw error;
      if (error.field === 'email') return false;
    }
  }
  throw new Error(`no free slug for the tenant name "${wanted.tenantName}" in ${SLUG_ATTEMPTS} attempts`);
}

/**
 * The account that an earlier call with an idempotency key created, or null. There was no tenant then to keep the key in:
 * the unique address stands for it, with everything else that the call said, the password included.
 */
async function findFirstAnswer(
  services: TenantServices,
  wanted: NewTenant,
  input: SignUpInput,
): Promise<SignIn | null> {
  if (typeof input.idempotencyKey !== 'string') return null;
  const known = await findSignIn(services.db, wanted.email);
  const fits = await services.passwords.verify(known?.passwordHash ?? null, input.password);
  if (known === null || !fits) return null;
  return withTenant(services.db, known.tenantId, async (tx) => {
    const [tenant] = await findTenants(tx, [known.tenantId]);
    const [account] = await findAccounts(tx, [known.accountId]);
    const isRepeat =
      tenant?.name === wanted.tenantName &&
      tenant.demoSource === wanted.demoSource &&
      tenant.simulated === wanted.simulated &&
      account?.displayName === wanted.displayName &&
      Date.now() - account.createdAt.getTime() < REPEAT_WINDOW_MS;
    return isRepeat ? known : null;
  });
}
