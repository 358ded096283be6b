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
  | 'pruneAuditLog'
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

/** The last event that was pruned: the first one that is kept follows it. */
export interface AuditAnchorRow {
  sequence: string;
  hash: Buffer;
  prunedAt: Date;
  reason: string;
}

/** From where the log of a tenant is kept; `isTold`: the event of its last pruning says the same of the anchor. */
export interface ChainStart {
  anchor: AuditAnchorRow | null;
  isTold: boolean;
}

/** A `ChainStart` as `CHAIN_START` reads it: null in each column of the anchor where nothing was pruned. */
export interface RawChainStart {
  sequence: string | null;
  hash: Uint8Array | null;
  prunedAt: Date | null;
  reason: string | null;
  isTold: boolean;
}

/** A query for the `RawChainStart` of the tenant `$1`. */
export const CHAIN_START = `
  SELECT a.sequence::text, a.hash, a.pruned_at AS "prunedAt", a.reason,
         (SELECT e.details FROM audit_events e WHERE e.tenant_id = $1::uuid AND e.action = 'pruneAuditLog'
           ORDER BY e.sequence DESC LIMIT 1)
           IS NOT DISTINCT FROM CASE WHEN a.sequence IS NOT NULL
             THEN audit_anchor_details(a.sequence, a.hash, a.pruned_at, a.reason) END AS "isTold"
    FROM (SELECT) one LEFT JOIN audit_anchors a ON a.tenant_id = $1::uuid`;

/** The start that a row of `CHAIN_START` says. */
export function readChainStart(row: RawChainStart | undefined): ChainStart {
  if (row === undefined) throw new Error('Wanted where a log starts, got no row.');
  const { sequence, hash, prunedAt, reason, isTold } = row;
  if (sequence === null || hash === null || prunedAt === null || reason === null) return { anchor: null, isTold };
  return { anchor: { sequence, hash: Buffer.from(hash), prunedAt, reason }, isTold };
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
  /** What was pruned; the events behind it were verified. Null: all since the first. */
  anchor: AuditAnchorRow | null;
  /** Why the chain is broken; null when it is whole. */
  problem: string | null;
}

/** A query for `ChainedEvent`s; it says nothing of whose, in which order and how many. */
export const CHAINED_EVENTS = `
  SELECT e.sequence::text, previous_hash AS "previousHash", hash,
         jsonb_build_array(tenant_id, e.sequence, (extract(epoch FROM at) * 1000)::bigint, actor, action, details)::text AS text
    FROM audit_events e`;

/** Recomputes every hash that is kept of a tenant's log, in ascending order of sequence. */
export async function verifyAuditChain(
  tenantId: string,
  { anchor, isTold }: ChainStart,
  events: Iterable<ChainedEvent> | AsyncIterable<ChainedEvent>,
): Promise<AuditVerdict> {
  let expected: Buffer = anchor?.hash ?? createHash('sha256').update(tenantId).digest();
  let before = anchor === null ? null : 'the anchor';
  let sequenceBefore = BigInt(anchor?.sequence ?? 0);
  let eventCount = 0;
  const verdict = (problem: string | null): AuditVerdict => ({
    eventCount,
    head: eventCount === 0 ? null : expected.toString('hex'),
    anchor,
    problem,
  });
  for await (const { sequence, previousHash, hash, text } of events) {
    if (!isTold) return verdict(untold(anchor));
    const wanted = sequenceBefore + 1n;
    if (sequence !== String(wanted)) {
      const place = before === null ? '' : ` behind ${before}`;
      return verdict(`event ${wanted} is missing${place}: the next one is ${sequence}`);
    }
    if (!previousHash.equals(expected))
      return verdict(`event ${sequence} does not follow ${before ?? 'the one before it'}`);
    if (!createHash('sha256').update(expected).update(text).digest().equals(hash)) {
      return verdict(`event ${sequence} was changed`);
    }
    expected = hash;
    before = null;
    sequenceBefore = wanted;
    eventCount += 1;
  }
  return verdict(isTold ? null : untold(anchor));
}

function untold(anchor: AuditAnchorRow | null): string {
  return anchor === null
    ? 'the anchor is missing: the log tells of a pruning'
    : `the anchor was changed: no pruning up to event ${anchor.sequence} is told as it says`;
}
