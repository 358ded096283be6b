import { createHash } from 'node:crypto';
import type { TenantId } from '@kindred/domain/ids';
import type { AuditActor } from './audit-log.ts';
import type { TenantTx } from './tenants.ts';

/** A document that a tenant published. */
export interface NewPublishedDocument {
  body: string;
  /** What the body says, however it is laid out. */
  content: string;
  /** What its operation is called. */
  name: string | null;
}

export interface PublishedDocumentRow {
  tenantId: TenantId;
  /** The sha256 of the body, in hex. */
  digest: string;
  name: string | null;
  body: string;
  publisher: AuditActor | null;
  publishedAt: Date;
}

export const MAX_PUBLISHED_DOCUMENTS = 1_000;

/**
 * Publishes the documents for the tenant; those that are published already stay as they are. Gives how many the tenant
 * has then, or null, and nothing changed, when that would be more than `MAX_PUBLISHED_DOCUMENTS`.
 */
export async function publishDocuments(
  tx: TenantTx,
  documents: readonly NewPublishedDocument[],
  publisher: AuditActor,
): Promise<number | null> {
  await lockDocuments(tx);
  const rows = documents.map(({ body, content, name }) => ({
    tenantId: tx.tenantId,
    digest: digestOf(body),
    contentDigest: digestOf(content),
    body,
    name,
    publisher,
  }));
  const digests = rows.map(({ digest }) => digest);
  const others = await tx.client.publishedDocument.count({
    where: { tenantId: tx.tenantId, digest: { notIn: digests } },
  });
  const count = others + new Set(rows.map(({ body }) => body)).size;
  if (count > MAX_PUBLISHED_DOCUMENTS) return null;
  await tx.client.publishedDocument.createMany({ data: rows, skipDuplicates: true });
  return count;
}

/**
 * Takes the documents of these digests of their text, in hex, back. Gives those that the tenant has not published; when
 * there are any, nothing is changed.
 */
export async function withdrawDocuments(tx: TenantTx, digests: readonly string[]): Promise<string[]> {
  await lockDocuments(tx);
  const where = { tenantId: tx.tenantId, digest: { in: digests.map(bytesOf) } };
  const rows = await tx.client.publishedDocument.findMany({ where, select: { digest: true } });
  const known = new Set(rows.map(({ digest }) => Buffer.from(digest).toString('hex')));
  const unknown = digests.filter((digest) => !known.has(digest));
  if (unknown.length === 0) await tx.client.publishedDocument.deleteMany({ where });
  return unknown;
}

/** At most `first` documents, newest first, from after `after`, whose names begin with `namePrefix`. */
export async function listPublishedDocuments(
  tx: TenantTx,
  page: { first: number; after: Pick<PublishedDocumentRow, 'publishedAt' | 'digest'> | null; namePrefix: string },
): Promise<PublishedDocumentRow[]> {
  const { first, after, namePrefix } = page;
  return await tx.client.$queryRaw<PublishedDocumentRow[]>`
    SELECT tenant_id AS "tenantId", encode(digest, 'hex') AS digest, name, body, publisher, published_at AS "publishedAt"
      FROM published_documents
     WHERE tenant_id = ${tx.tenantId}::uuid AND starts_with(coalesce(name, ''), ${namePrefix})
       AND (${after?.publishedAt ?? null}::timestamptz IS NULL
            OR (published_at, digest) < (${after?.publishedAt ?? null}::timestamptz, decode(${after?.digest ?? ''}, 'hex')))
     ORDER BY published_at DESC, digest DESC
     LIMIT ${first}`;
}

/** The document whose text, or whose content, has this sha256 in hex; null when the tenant published none. */
export async function findPublishedDocument(tx: TenantTx, digest: string): Promise<string | null> {
  const bytes = bytesOf(digest);
  const row = await tx.client.publishedDocument.findFirst({
    where: { tenantId: tx.tenantId, OR: [{ digest: bytes }, { contentDigest: bytes }] },
    select: { body: true },
  });
  return row?.body ?? null;
}

/** One at a time changes a tenant's documents, so that two do not pass the limit together, or withdraw one twice. */
async function lockDocuments(tx: TenantTx): Promise<void> {
  const lock = `published_documents ${tx.tenantId}`;
  await tx.client.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${lock}, 0))`;
}

function bytesOf(digest: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(digest, 'hex'));
}

function digestOf(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(createHash('sha256').update(text).digest());
}
