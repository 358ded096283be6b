import { Client } from 'pg';
import { type ErasureReceiptRow, findReceiptProblem } from './erasure-receipts.ts';
import { USER_TABLES } from './user-data.ts';

/** What the database says of one erasure. */
export interface ErasureVerdict {
  erasureId: string;
  tenantId: string;
  status: 'RUNNING' | 'GONE' | 'SEALED';
  lineCount: number;
  /** Rows of the user that are there, over all tables. */
  heldCount: number;
  /** What is wrong; empty when nothing is. */
  problems: string[];
}

interface Head {
  tenantId: string;
  id: string;
  subject: Buffer;
  userId: string | null;
  externalId: string | null;
  goneAt: Date | null;
  sealedAt: Date | null;
  receiptHash: Buffer | null;
  toldHash: string | null;
}

/**
 * Recomputes the receipt of every erasure (or of one), compares its end with what the audit log was told, and looks into every
 * table for the user, as the owner of the database. Files, Redis and serving are looked into by `verifyErasure` of the API.
 */
export async function verifyErasures(ownerUrl: string, erasureId?: string): Promise<ErasureVerdict[]> {
  const client = new Client({ connectionString: ownerUrl, application_name: 'kindred-erasures' });
  await client.connect();
  try {
    const { rows: heads } = await client.query<Head>(
      `SELECT e.tenant_id AS "tenantId", e.id, e.subject, e.user_id AS "userId", e.external_id AS "externalId",
              e.gone_at AS "goneAt", e.sealed_at AS "sealedAt", e.receipt_hash AS "receiptHash",
              (SELECT a.details->>'receiptHash' FROM audit_events a
                WHERE a.tenant_id = e.tenant_id AND a.action = 'sealErasure' AND a.details->>'erasureId' = e.id::text
                ORDER BY a.sequence LIMIT 1) AS "toldHash"
         FROM erasures e WHERE $1::uuid IS NULL OR e.id = $1 ORDER BY e.id`,
      [erasureId ?? null],
    );
    const verdicts: ErasureVerdict[] = [];
    for (const head of heads) verdicts.push(await verify(client, head));
    return verdicts;
  } finally {
    await client.end();
  }
}

async function verify(client: Client, head: Head): Promise<ErasureVerdict> {
  const { rows: lines } = await client.query<ErasureReceiptRow>(
    `SELECT sequence, store, scope, row_count AS "rowCount", erased_at AS "erasedAt", evidence, hash
       FROM erasure_receipts WHERE tenant_id = $1 AND erasure_id = $2 ORDER BY sequence`,
    [head.tenantId, head.id],
  );
  const heldCount = head.userId === null ? 0 : await countRows(client, head);
  const { goneAt, sealedAt, receiptHash, toldHash, externalId } = head;
  const isTold = (receiptHash?.toString('hex') ?? null) === toldHash;
  const problems = [
    findReceiptProblem(head, lines),
    sealedAt !== null && !isTold ? 'the audit log was told another end' : null,
    sealedAt !== null && externalId !== null ? 'it still names the user' : null,
    heldCount > 0 ? `${heldCount} rows of the user are there` : null,
  ].filter((problem) => problem !== null);
  const status = sealedAt === null ? (goneAt === null ? 'RUNNING' : 'GONE') : 'SEALED';
  return { erasureId: head.id, tenantId: head.tenantId, status, lineCount: lines.length, heldCount, problems };
}

async function countRows(client: Client, { tenantId, userId }: Head): Promise<number> {
  let total = 0;
  for (const [table, column] of Object.entries(USER_TABLES)) {
    const { rows } = await client.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM ${table} WHERE tenant_id = $1 AND ${column} = $2`,
      [tenantId, userId],
    );
    total += rows[0]?.count ?? 0;
  }
  return total;
}
