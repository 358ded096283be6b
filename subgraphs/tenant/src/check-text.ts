import type { UserError } from './generated/resolvers.ts';
import { userError } from './user-error.ts';

/** What is wrong with a text of the input, if anything. The value itself is not repeated: it may be a password. */
export function checkText(value: string, rule: { field: string; minChars: number; maxChars: number }): UserError[] {
  const { field, minChars, maxChars } = rule;
  const length = Array.from(value).length;
  if (length < minChars || length > maxChars) {
    return [userError('INVALID', `${field} must be ${minChars}-${maxChars} characters, got ${length}.`, [field])];
  }
  const bad = Array.from(value).findIndex((char) => /[\p{Cc}\p{Cs}]/u.test(char));
  if (bad === -1) return [];
  return [userError('INVALID', `${field} must be text, got a control character at position ${bad}.`, [field])];
}

/** The checks of an optional text: left out is right. */
export function checkOptionalText(
  value: string | null | undefined,
  rule: { field: string; maxChars: number },
): UserError[] {
  return value === null || value === undefined ? [] : checkText(value, { ...rule, minChars: 1 });
}
