import { randomBytes } from 'node:crypto';

const MAX_CHARS = 40;

/** A tenant's name as a short name in lower case, fit for addresses: "Crème & Co" gives "creme-co". Not unique yet. */
export function slugOf(tenantName: string): string {
  const slug = tenantName
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, MAX_CHARS)
    .replace(/^-|-$/g, '');
  return slug === '' ? 'tenant' : slug;
}

/** The slug with 32 random bits behind it, for a name that is taken. */
export function distinctSlug(slug: string): string {
  return `${slug}-${randomBytes(4).toString('hex')}`;
}
