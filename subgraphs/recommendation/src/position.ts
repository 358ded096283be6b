import { createHash } from 'node:crypto';
import { decodeCursor, encodeCursor } from '@kindred/domain/cursor';
import { AppError } from '@kindred/domain/app-error';
import type { ModelVersionId } from '@kindred/domain/ids';

/** A place in one answer: further pages are of what was known when the first one was made. */
export interface Position {
  /** The version that ranked; null where none did. */
  versionId: ModelVersionId | null;
  /** When the newest interaction that counts was recorded. */
  knownUntil: Date;
  /** See `fingerprint`. */
  question: string;
  /** The rank of the edge, from 1. */
  rank: number;
}

/** Names a question, so that the cursors of one are not taken for those of another. */
export function fingerprint(question: unknown): string {
  return createHash('sha256').update(JSON.stringify(question)).digest('base64url').slice(0, 16);
}

export function encodePosition({ versionId, knownUntil, question, rank }: Position): string {
  return encodeCursor(`${versionId ?? 'none'}:${knownUntil.getTime()}:${question}:${rank}`);
}

/**
 * The position behind a cursor of an earlier page of the same question.
 * @throws AppError BAD_USER_INPUT when it is something else.
 */
export function decodePosition(cursor: string, question: string): Position {
  const [, version, knownUntil, asked, rank] =
    /^([0-9a-f-]{36}|none):(\d{1,15}):([\w-]{16}):(\d{1,4})$/.exec(decodeCursor(cursor)) ?? [];
  if (asked !== question) {
    const wanted = 'wanted the endCursor of an earlier page of the same user, where, excludeItems and explain';
    throw new AppError('BAD_USER_INPUT', `after is "${cursor}", no cursor of this question: ${wanted}.`);
  }
  return {
    versionId: version === 'none' ? null : (version as ModelVersionId),
    knownUntil: new Date(Number(knownUntil)),
    question,
    rank: Number(rank),
  };
}
