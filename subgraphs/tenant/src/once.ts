import { withIdempotencyKey } from '@kindred/db/idempotency';
import type { TenantTx } from '@kindred/db/tenants';

/**
 * Runs `work` once per idempotency key, if the input has one: a repeat gets the first answer. Answers are kept as JSON for a
 * day, so that they hold ids and no secret.
 */
export function once<T>(
  tx: TenantTx,
  { operation, input }: { operation: string; input: { idempotencyKey?: string | null | undefined } },
  work: () => Promise<T>,
): Promise<T> {
  const { idempotencyKey: key, ...request } = input;
  return typeof key === 'string' ? withIdempotencyKey(tx, { operation, key, request }, work) : work();
}
