import type { Role } from '../../src/generated/graphql.ts';

/** The roles that a tenant gives, strongest first. */
const GIVEN_ROLES = ['OWNER', 'ADMIN', 'MEMBER', 'VIEWER'] as const satisfies readonly Role[];

export const ROLE_NAMES: Readonly<Record<Role, string>> = {
  OWNER: 'Owner',
  ADMIN: 'Admin',
  MEMBER: 'Member',
  VIEWER: 'Viewer',
  OPERATOR: 'Operator',
};

/** What a role may do, in the words of the invitation. */
export const ROLE_POWERS: Readonly<Record<(typeof GIVEN_ROLES)[number], string>> = {
  OWNER: 'Everything, the owners included.',
  ADMIN: 'Everything but making or removing owners.',
  MEMBER: 'Data, training and recommendations.',
  VIEWER: 'Reading only.',
};

/** The roles that somebody of this role may give: only owners make owners. */
export function rolesGivenBy(role: Role | null | undefined): readonly (typeof GIVEN_ROLES)[number][] {
  return role === 'OWNER' ? GIVEN_ROLES : GIVEN_ROLES.filter((given) => given !== 'OWNER');
}
