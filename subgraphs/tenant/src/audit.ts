import type { AuditActor, AuditEventRow } from '@kindred/db/audit-log';
import { AppError } from '@kindred/domain/app-error';
import { encodeGlobalId } from '@kindred/domain/ids';
import type { Viewer } from '@kindred/domain/viewer';
import type { AuditActorKind } from './generated/resolvers.ts';

const KINDS: Record<AuditActor['kind'], AuditActorKind> = {
  account: 'ACCOUNT',
  operator: 'OPERATOR',
  apiKey: 'API_KEY',
  platform: 'PLATFORM',
};

/** The viewer as the tenant's audit log names it. @throws AppError UNAUTHENTICATED for nobody. */
export function actorOf(viewer: Viewer): AuditActor {
  if (viewer.kind === 'account')
    return { kind: viewer.role === 'OPERATOR' ? 'operator' : 'account', id: viewer.accountId };
  if (viewer.kind === 'apiKey') return { kind: 'apiKey', id: viewer.apiKeyId };
  throw new AppError('UNAUTHENTICATED', 'This needs a credential: send `Authorization: Bearer …` or `X-API-Key`.');
}

export function actorKindOf({ actor }: AuditEventRow): AuditActorKind {
  return KINDS[actor.kind];
}

export function actorIdOf({ actor, tenantId }: AuditEventRow): string {
  if (actor.kind === 'platform') return encodeGlobalId('Tenant', tenantId);
  return actor.kind === 'apiKey' ? encodeGlobalId('ApiKey', actor.id) : encodeGlobalId('Account', actor.id);
}
