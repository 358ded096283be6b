import { createHash } from 'node:crypto';
import type { ErasureId, TenantId } from '@kindred/domain/ids';
import type { ErasureStore } from '@kindred/domain/user-events';
import type { TenantTx } from './tenants.ts';

/** One line of a receipt: what was erased where, and a hash of it. */
export interface ErasureReceiptRow {
  tenantId: TenantId;
  erasureId: ErasureId;
  sequence: number;
  store: ErasureStore;
  scope: string;
  rowCount: number;
  erasedAt: Date;
  evidence: Uint8Array;
  hash: Uint8Array;
}

/** What a line says, before it has its place in the receipt. */
export interface ReceiptLine {
  store: ErasureStore;
  /** The table, the version, the replica or the run. */
  scope: string;
  rowCount: number;
  evidence: Uint8Array;
}

/** Whose receipt it is: the first line carries the hash of this. */
export interface ReceiptHead {
  tenantId: string;
  id: string;
  subject: Uint8Array;
}

/** Appends a line to a receipt; the first line of a store and scope stays as it is. */
export async function appendReceiptLine(tx: TenantTx, erasureId: ErasureId, line: ReceiptLine): Promise<void> {
  const { tenantId } = tx;
  // The row lock makes the lines of one receipt take turns.
  const [head] = await tx.client.$queryRaw<ReceiptHead[]>`
    SELECT tenant_id AS "tenantId", id, subject FROM erasures
     WHERE tenant_id = ${tenantId}::uuid AND id = ${erasureId}::uuid FOR UPDATE`;
  if (head === undefined) throw new Error(`There is no erasure ${erasureId}.`);
  const lines = await listReceiptLines(tx, erasureId);
  if (lines.some(({ store, scope }) => store === line.store && scope === line.scope)) return;
  const row = { ...line, sequence: lines.length + 1, erasedAt: new Date() };
  const hash = hashLine(lines.at(-1)?.hash ?? hashHead(head), row);
  const bytes = { evidence: new Uint8Array(row.evidence), hash: new Uint8Array(hash) };
  await tx.client.erasureReceipt.create({ data: { ...row, ...bytes, tenantId, erasureId } });
}

/** A receipt's lines in order. */
export async function listReceiptLines(tx: TenantTx, erasureId: ErasureId): Promise<ErasureReceiptRow[]> {
  const rows = await tx.client.erasureReceipt.findMany({
    where: { tenantId: tx.tenantId, erasureId },
    orderBy: { sequence: 'asc' },
  });
  return rows.map((row) => row as typeof row & ErasureReceiptRow);
}

/** A line as people read it. */
export interface ReadReceiptLine extends ErasureReceiptRow {
  /**
   * Of a version: the number of its model's first whole version whose training began when the user's rows were gone; since
   * then nothing that the model learned comes from the user. Null where there is none yet.
   */
  outOfWeightsSince: number | null;
}

/** The receipts of these erasures, in no order; each line with what has become of the weights since. */
export async function findReceipts(
  tx: TenantTx,
  erasureIds: readonly ErasureId[],
): Promise<{ id: ErasureId; lines: ReadReceiptLine[] }[]> {
  const lines = await tx.client.erasureReceipt.findMany({
    where: { tenantId: tx.tenantId, erasureId: { in: [...erasureIds] } },
    orderBy: [{ erasureId: 'asc' }, { sequence: 'asc' }],
  });
  const fresh = await tx.client.$queryRaw<{ erasureId: string; sequence: number; number: number }[]>`
    WITH gone AS (
      SELECT erasure_id, max(erased_at) AS at FROM erasure_receipts
       WHERE tenant_id = ${tx.tenantId}::uuid AND store = 'POSTGRES' GROUP BY erasure_id
    )
    SELECT l.erasure_id AS "erasureId", l.sequence, min(fresh.number)::int AS number FROM erasure_receipts l
      JOIN gone ON gone.erasure_id = l.erasure_id
      JOIN model_versions old ON old.tenant_id = l.tenant_id AND old.id::text = l.scope
      JOIN model_versions fresh ON fresh.tenant_id = old.tenant_id AND fresh.model_id = old.model_id
      JOIN training_runs r ON r.tenant_id = fresh.tenant_id AND r.id = fresh.run_id
     WHERE l.tenant_id = ${tx.tenantId}::uuid AND l.erasure_id = ANY (${erasureIds}::uuid[])
       AND l.store = 'MODEL_VERSION' AND fresh.status <> 'BUILDING' AND r.started_at > gone.at
     GROUP BY l.erasure_id, l.sequence`;
  const numberOf = new Map(fresh.map(({ erasureId, sequence, number }) => [`${erasureId} ${sequence}`, number]));
  return erasureIds.map((id) => {
    const own = lines.filter((line) => line.erasureId === id);
    const read = own.map((line) => ({ ...line, outOfWeightsSince: numberOf.get(`${id} ${line.sequence}`) ?? null }));
    return { id, lines: read.map((line) => line as typeof line & ReadReceiptLine) };
  });
}

/** Why a receipt is broken, if it is: a line was changed, left out or put in, or it does not end as it was sealed. */
export function findReceiptProblem(
  head: ReceiptHead & { receiptHash: Uint8Array | null },
  lines: readonly Omit<ErasureReceiptRow, 'tenantId' | 'erasureId'>[],
): string | null {
  let expected = hashHead(head);
  for (const [index, line] of lines.entries()) {
    if (line.sequence !== index + 1) return `line ${index + 1} is missing: the next one is ${line.sequence}`;
    expected = hashLine(expected, line);
    if (!expected.equals(line.hash)) return `line ${line.sequence} was changed`;
  }
  const isSealed = head.receiptHash !== null;
  if (isSealed && !expected.equals(head.receiptHash ?? new Uint8Array())) return 'it does not end as it was sealed';
  return null;
}

function hashHead({ tenantId, id, subject }: ReceiptHead): Buffer {
  return sha256(JSON.stringify([tenantId, id, Buffer.from(subject).toString('hex')]));
}

function hashLine(
  before: Uint8Array,
  { sequence, store, scope, rowCount, erasedAt, evidence }: ReceiptLine & { sequence: number; erasedAt: Date },
): Buffer {
  const said = [sequence, store, scope, rowCount, erasedAt.getTime(), Buffer.from(evidence).toString('hex')];
  return sha256(before, JSON.stringify(said));
}

function sha256(...parts: (Uint8Array | string)[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}
