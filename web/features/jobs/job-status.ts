import type { JobStatus } from '../../src/generated/graphql.ts';

/** Whether long work has ended, however it did. */
export function isJobOver(status: JobStatus): boolean {
  return status === 'SUCCEEDED' || status === 'FAILED' || status === 'CANCELLED';
}

/** How much is done, 0-1: nothing until it is known of how much, all once it has succeeded. */
export function doneShare(done: number, total: number | null | undefined, status: JobStatus): number {
  if (status === 'SUCCEEDED') return 1;
  return total == null || total <= 0 ? 0 : Math.min(1, Math.max(0, done / total));
}
