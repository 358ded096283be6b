import { AppError } from '@kindred/domain/app-error';
import type { AccountId, TenantId } from '@kindred/domain/ids';
import type { Viewer } from '@kindred/domain/viewer';

/**
 * The tenant that the credential belongs to.
 * @throws AppError UNAUTHENTICATED for a viewer without one.
 */
export function requireTenant(viewer: Viewer): TenantId {
  if (viewer.kind === 'account' || viewer.kind === 'apiKey') return viewer.tenantId;
  throw new AppError('UNAUTHENTICATED', 'This needs a credential: send `Authorization: Bearer …` or `X-API-Key`.');
}

/**
 * The account that is signed in.
 * @throws AppError UNAUTHENTICATED for everybody else, API keys included.
 */
export function requireAccount(viewer: Viewer): AccountId {
  if (viewer.kind === 'account') return viewer.accountId;
  throw new AppError('UNAUTHENTICATED', 'This needs a signed-in account: send `Authorization: Bearer …` of a session.');
}

/**
 * Lets only the gateway itself pass: for fields that establish who asks, such as `authenticateApiKey`.
 * @throws AppError FORBIDDEN for every viewer that a client can be.
 */
export function requireSystem(viewer: Viewer): void {
  if (viewer.kind !== 'system') throw new AppError('FORBIDDEN', 'Only the gateway may ask this.');
}
