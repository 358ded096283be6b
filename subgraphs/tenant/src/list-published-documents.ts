import { listPublishedDocuments as readDocuments, type PublishedDocumentRow } from '@kindred/db/published-documents';
import { type TenantRow, withTenant } from '@kindred/db/tenants';
import { AppError } from '@kindred/domain/app-error';
import { checkPageSize, decodeCursor } from '@kindred/domain/cursor';
import { type Connection, toConnection } from '@kindred/service/connection';
import type { TenantContext } from './context.ts';
import type { TenantPublishedDocumentsArgs } from './generated/resolvers.ts';

type Position = Pick<PublishedDocumentRow, 'publishedAt' | 'digest'>;

const POSITION = /^(\d{1,15}) ([0-9a-f]{64})$/;

/**
 * A page of the documents that the tenant published, newest first.
 * @throws AppError BAD_USER_INPUT for a page size or cursor that cannot be.
 */
export async function listPublishedDocuments(
  { db }: TenantContext,
  tenant: TenantRow,
  args: TenantPublishedDocumentsArgs,
): Promise<Connection<PublishedDocumentRow>> {
  const first = checkPageSize(args.first);
  const after = typeof args.after === 'string' ? readPosition(decodeCursor(args.after)) : null;
  const page = { first: first + 1, after, namePrefix: args.namePrefix ?? '' };
  const rows = await withTenant(db, tenant.id, (tx) => readDocuments(tx, page));
  return toConnection(rows, { first, after: args.after }, writePosition);
}

function writePosition({ publishedAt, digest }: Position): string {
  return `${publishedAt.getTime()} ${digest}`;
}

function readPosition(text: string): Position {
  const [, at, digest] = POSITION.exec(text) ?? [];
  if (at !== undefined && digest !== undefined) return { publishedAt: new Date(Number(at)), digest };
  throw new AppError('BAD_USER_INPUT', `after must be a cursor of this connection, got one that holds "${text}".`);
}
