import type { Role } from '../../src/generated/graphql.ts';

const READERS: readonly Role[] = ['VIEWER', 'OPERATOR'];

/** Whether somebody of this role may change data, train, tune and start batches. The API decides; this is what is offered. */
export function mayWrite(role: Role | null): boolean {
  return role !== null && !READERS.includes(role);
}
