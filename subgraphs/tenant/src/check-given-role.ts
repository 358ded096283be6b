import type { MemberRole, Viewer } from '@kindred/domain/viewer';
import type { Role, UserError } from './generated/resolvers.ts';
import { userError } from './user-error.ts';

/** The role that the viewer gives somebody, or why it cannot. */
export function checkGivenRole(
  viewer: Viewer,
  role: Role,
): { role: MemberRole; userErrors: [] } | { role: null; userErrors: UserError[] } {
  const refuse = (message: string) => ({ role: null, userErrors: [userError('INVALID', message, ['role'])] });
  if (role === 'OPERATOR') return refuse('role must be OWNER, ADMIN, MEMBER or VIEWER, got OPERATOR.');
  const isOwner = viewer.kind === 'account' && viewer.role === 'OWNER';
  if (role === 'OWNER' && !isOwner)
    return refuse('role must be ADMIN, MEMBER or VIEWER for one who is no OWNER, got OWNER.');
  return { role, userErrors: [] };
}
