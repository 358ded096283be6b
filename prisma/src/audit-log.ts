import { createHash } from 'node:crypto';
import type { AccountId, ApiKeyId, TenantId } from '@kindred/domain/ids';
import type { TenantTx } from './tenants.ts';

/** Who did something in a tenant. */
export type AuditActor =
  | { kind: 'account' | 'operator'; id: AccountId }
  | { kind: 'apiKey'; id: ApiKeyId }
  // The platform itself, by a rule of its own.
  | { kind: 'platform' };

/** What can be done in a tenant that its log tells. */
export type AuditAction =
  | 'openSession'
  | 'createApiKey'
  | 'rotateApiKey'
  | 'revokeApiKey'
  | 'inviteMember'
  | 'revokeInvitation'
  | 'acceptInvitation'
  | 'changeMemberRole'
  | 'removeMember'
  | 'enterTenant'
  | 'changePlan'
  | 'createWebhook'
  | 'rotateWebhookSecret'
  | 'enableWebhook'
  | 'disableWebhook'
  | 'deleteWebhook'
  | 'exportUserData'
  | 'eraseUser'
  | 'sealErasure'
  | 'setRetention'
  | 'publishDocuments'
  | 'withdrawDocuments';

export interface AuditEventRow {
  tenantId: TenantId;
  sequence: bigint;
  at: Date;
  actor: AuditActor;
  action: AuditAction;
  details: Record<string, unknown>;
  previousHash: Uint8Array;
  hash: Uint8Array;
}

/** Appends to the tenant's log, in the transaction of what it tells: both happen, or neither. */
export async function appendAuditEvent(
  tx: TenantTx,
  event: { actor: AuditActor; action: AuditAction; details?: Record<string, unknown> },
): Promise<void> {
  const { actor, action, details = {} } = event;
  await tx.client.$queryRaw`
    SELECT audit_append(${JSON.stringify(actor)}::jsonb, ${action}, ${JSON.stringify(details)}::jsonb)`;
}

/** At most `first` events, newest first, from before `beforeSequence`. */
export async function listAuditEvents(
  tx: TenantTx,
  page: { first: number; beforeSequence?: bigint | null | undefined },
): Promise<AuditEventRow[]> {
  const { first, beforeSequence } = page;
  const rows = await tx.client.auditEvent.findMany({
    where: { tenantId: tx.tenantId, ...(typeof beforeSequence === 'bigint' && { sequence: { lt: beforeSequence } }) },
    orderBy: { sequence: 'desc' },
    take: first,
  });
  return rows.map((row) => row as typeof row & AuditEventRow);
}

/** An event as the chain hashes it: `text` is what `audit_append` hashed after the hash before. */
export interface ChainedEvent {
  sequence: string;
  previousHash: Buffer;
  hash: Buffer;
  text: string;
}

/** What the events of one tenant say of themselves, in order: how many fit, and the first that does not. */
export interface AuditVerdict {
  eventCount: number;
  /** The hash of the last event, in hex: keep it elsewhere to find out later whether the log was cut. Null: no event. */
  head: string | null;
  /** Why the chain is broken; null when it is whole. */
  problem: string | null;
}

/** A query for `ChainedEvent`s; it says nothing of whose, in which order and how many. */
export const CHAINED_EVENTS = `
  SELECT e.sequence::text, previous_hash AS "previousHash", hash,
         jsonb_build_array(tenant_id, e.sequence, (extract(epoch FROM at) * 1000)::bigint, actor, action, details)::text AS text
    FROM audit_events e`;

/** Recomputes every hash of a tenant's log, in ascending order of sequence. */
export async function verifyAuditChain(
  tenantId: string,
  events: Iterable<ChainedEvent> | AsyncIterable<ChainedEvent>,
): Promise<AuditVerdict> {
  let expected: Buffer = createHash('sha256').update(tenantId).digest();
  let eventCount = 0;
  const verdict = (problem: string | null): AuditVerdict => ({
    eventCount,
    head: eventCount === 0 ? null : expected.toString('hex'),
    problem,
  });
  for await (const { sequence, previousHash, hash, text } of events) {
    if (sequence !== String(eventCount + 1)) {
      return verdict(`event ${eventCount + 1} is missing: the next one is ${sequence}`);
    }
    if (!previousHash.equals(expected)) return verdict(`event ${sequence} does not follow the one before it`);
    if (!createHash('sha256').update(expected).update(text).digest().equals(hash)) {
      return verdict(`event ${sequence} was changed`);
    }
    expected = hash;
    eventCount += 1;
  }
  return verdict(null);
}
