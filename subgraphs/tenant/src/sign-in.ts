import { findSignIn } from '@kindred/db/accounts';
import type { TenantServices } from './context.ts';
import { normaliseEmail } from './email.ts';
import type { SignInInput, UserError } from './generated/resolvers.ts';
import { openSession, type Session } from './session.ts';
import { userError } from './user-error.ts';

/** A session for an e-mail address and its password. An unknown address and a wrong password differ in nothing, time included. */
export async function signIn(
  services: TenantServices,
  input: SignInInput,
): Promise<{ session: Session | null; userErrors: UserError[] }> {
  const email = normaliseEmail(input.email);
  const known = email === null ? null : await findSignIn(services.db, email);
  const fits = await services.passwords.verify(known?.passwordHash ?? null, input.password);
  if (known === null || !fits) {
    const message = 'email and password must be those of an account, got an unknown address or a wrong password.';
    return { session: null, userErrors: [userError('INVALID', message, ['password'])] };
  }
  return { session: await openSession(services, known), userErrors: [] };
}
