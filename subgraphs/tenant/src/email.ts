import { z } from 'zod';

const addressSchema = z.email().max(254);

/** The form in which addresses are kept and compared, or null for what is no e-mail address. */
export function normaliseEmail(text: string): string | null {
  const address = addressSchema.safeParse(text.trim().toLowerCase());
  return address.success ? address.data : null;
}
