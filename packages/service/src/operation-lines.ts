import { AppError } from '@kindred/domain/app-error';

/**
 * The content type of a body that holds several operations, each a JSON object on a line of its own (JSON Lines). They are
 * run side by side for one viewer, and answered in one body of as many lines, in the same order.
 */
export const LINES_TYPE = 'application/jsonl';

/** No body holds more operations. */
export const MOST_LINES = 32;

/** The lines of a body: JSON as `JSON.stringify` writes it holds no line feeds, so nothing has to be read to part them. */
export function splitLines(text: string): string[] {
  const lines = text.split('\n');
  if (lines.length <= MOST_LINES) return lines;
  throw new AppError('BAD_USER_INPUT', `Wanted at most ${MOST_LINES} operations in one body, got ${lines.length}.`);
}

export function joinLines(lines: readonly string[]): string {
  return lines.join('\n');
}
