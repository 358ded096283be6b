import { createHash } from 'node:crypto';
import type { TenantTx } from './tenants.ts';

/** A document that a tenant published. */
export interface NewPublishedDocument {
  body: string;
  /** What the body says, however it is laid out. */
  content: string;
}

export const MAX_PUBLISHED_DOCUMENTS = 1_000;

/**
 * Publishes the documents for the tenant; those that are published already stay as they are. Gives how many the tenant
 * has then, or null, and nothing changed, when that would be more than `MAX_PUBLISHED_DOCUMENTS`.
 */
export async function publishDocuments(
  tx: TenantTx,
  documents: readonly NewPublishedDocument[],
): Promise<number | null> {
  // One publisher of a tenant at a time, so that two do not pass the limit together.
  const lock = `published_documents ${tx.tenantId}`;
  await tx.client.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${lock}, 0))`;
  const rows = documents.map(({ body, content }) => ({
    tenantId: tx.tenantId,
    digest: digestOf(body),
    contentDigest: digestOf(content),
    body,
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

/** The document whose text, or whose content, has this sha256 in hex; null when the tenant published none. */
export async function findPublishedDocument(tx: TenantTx, digest: string): Promise<string | null> {
  const bytes = new Uint8Array(Buffer.from(digest, 'hex'));
  const row = await tx.client.publishedDocument.findFirst({
    where: { tenantId: tx.tenantId, OR: [{ digest: bytes }, { contentDigest: bytes }] },
    select: { body: true },
  });
  return row?.body ?? null;
}

function digestOf(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(createHash('sha256').update(text).digest());
}
