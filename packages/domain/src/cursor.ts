import { AppError } from './app-error.ts';

/** An opaque connection cursor for a keyset position (Relay cursor connections specification). */
export function encodeCursor(position: string): string {
  return Buffer.from(position, 'utf8').toString('base64url');
}

/**
 * The keyset position behind a cursor.
 * @throws AppError BAD_USER_INPUT when the cursor is not one of ours.
 */
export function decodeCursor(cursor: string): string {
  const position = Buffer.from(cursor, 'base64url').toString('utf8');
  if (position === '' || encodeCursor(position) !== cursor) {
    throw new AppError('BAD_USER_INPUT', `"${cursor}" is not a cursor: wanted the endCursor of an earlier page.`);
  }
  return position;
}

/**
 * The page size asked for.
 * @throws AppError BAD_USER_INPUT unless 1 <= first <= 100.
 */
export function checkPageSize(first: number): number {
  if (!Number.isInteger(first) || first < 1 || first > 100) {
    throw new AppError('BAD_USER_INPUT', `first must be 1-100, got ${first}.`);
  }
  return first;
}
