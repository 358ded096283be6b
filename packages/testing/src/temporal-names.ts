import { randomBytes } from 'node:crypto';

/** A task queue or workflow id that no other test uses. */
export function uniqueName(prefix: string): string {
  return `${prefix}-${randomBytes(6).toString('hex')}`;
}
