import type { UserError, UserErrorCode } from './generated/resolvers.ts';

/** One entry of a payload's `userErrors`: `path` leads from `input` to the value that is wrong. */
export function userError(code: UserErrorCode, message: string, path: readonly string[]): UserError {
  return { code, message, path: [...path] };
}
