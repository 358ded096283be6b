import type { UserError } from './generated/resolvers.ts';
import { userError } from './user-error.ts';

/** What is wrong with a number of the input, if anything. */
export function checkNumber(value: number, rule: { field: string; min: number; max: number }): UserError[] {
  const { field, min, max } = rule;
  if (value >= min && value <= max) return [];
  return [userError('INVALID', `${field} must be ${min}-${max}, got ${value}.`, [field])];
}
