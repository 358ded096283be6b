import type { TenantId, UploadId } from './ids.ts';

export type ImportKind = 'ITEMS' | 'INTERACTIONS';

export type ImportFormat = 'JSONL' | 'CSV';

/** What an import does when rows are wrong: write nothing, leave the rows out, or leave only their wrong optional fields out. */
export type ImportErrorPolicy = 'REJECT_EVERYTHING' | 'REJECT_FAILED_ROWS' | 'IGNORE_FAILED';

/** What was asked for. */
export interface ImportOrder {
  uploadId: UploadId;
  kind: ImportKind;
  format: ImportFormat;
  errorPolicy: ImportErrorPolicy;
}

/** The steps of an import: every row is checked before the first is written where one wrong row rejects all. */
export type ImportPhase = 'CHECK' | 'WRITE';

/** How far an import has come. It is written in the transaction that writes the rows. */
export interface ImportState {
  phase: ImportPhase;
  sizeBytes: number;
  /** Where in the file the next batch begins, and the number of the line there, from 1. */
  position: number;
  line: number;
  /** Of the phase: the rows read, and what became of them. */
  rowCount: number;
  writtenCount: number;
  duplicateCount: number;
  failedCount: number;
  /** What was wrong with rows; more than one thing may be wrong with one. */
  errorCount: number;
}

/** A wrong row: the line that it begins on, from 1, the field where there is one, and the reason in a sentence. */
export interface ImportRowError {
  line: number;
  field: string | null;
  message: string;
}

/** Where an uploaded file is, from its upload until its import has ended; `MAX_UPLOAD_AGE_MS` at most if nothing imports it. */
export function uploadKey(tenantId: TenantId, uploadId: UploadId): string {
  return `${uploadsFolder(tenantId)}/${uploadId}`;
}

export function uploadsFolder(tenantId: TenantId): string {
  return `tenants/${tenantId}/uploads`;
}

/** Whose upload is under this key; null where the key is of something else. */
export function readUploadKey(key: string): { tenantId: TenantId; uploadId: UploadId } | null {
  const [, tenantId, uploadId] = /^tenants\/([^/]+)\/uploads\/([0-9a-f-]{36})$/.exec(key) ?? [];
  if (tenantId === undefined || uploadId === undefined) return null;
  return { tenantId: tenantId as TenantId, uploadId: uploadId as UploadId };
}

/** When a file was uploaded, in epoch milliseconds: its id begins with that (UUID version 7, RFC 9562). */
export function uploadedAtMs(uploadId: UploadId): number {
  return Number.parseInt(uploadId.replaceAll('-', '').slice(0, 12), 16);
}

/** A file that nothing has imported for so long is deleted. */
export const MAX_UPLOAD_AGE_MS = 7 * 86_400_000;

/** An upload may have this many bytes: ten million interactions have about as many. */
export const MAX_UPLOAD_BYTES = 2 ** 30;
