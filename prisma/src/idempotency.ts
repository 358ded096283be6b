import { createHash } from 'node:crypto';
import { AppError } from '@kindred/domain/app-error';
import type { TenantTx } from './tenants.ts';

/**
 * Runs `work` once per tenant, operation and key in 24 hours; a repeat gets the first answer, and one that comes while
 * the first is under way waits for it. Answers pass through JSON both times.
 * @throws AppError BAD_USER_INPUT when the key came before with another request, or is not 1-255 characters.
 */
export async function withIdempotencyKey<T>(
  tx: TenantTx,
  input: { operation: string; key: string; request: unknown },
  work: () => Promise<T>,
): Promise<T> {
  const { operation, key } = input;
  if (key.length < 1 || key.length > 255) {
    throw new AppError('BAD_USER_INPUT', `idempotencyKey must be 1-255 characters, got ${key.length}.`);
  }
  const requestHash = hashRequest(input.request);
  if (!(await claim(tx, { operation, key, requestHash }))) {
    return repeat<T>(tx, { operation, key, requestHash });
  }
  const json = JSON.stringify({ answer: await work() });
  await tx.client.$executeRaw`
    UPDATE idempotency_records SET response = ${json}::jsonb
     WHERE tenant_id = ${tx.tenantId}::uuid AND operation = ${operation} AND key = ${key}`;
  return (JSON.parse(json) as { answer: T }).answer;
}

interface Claim {
  operation: string;
  key: string;
  requestHash: Uint8Array<ArrayBuffer>;
}

/** Whether this call is the first: the primary key makes a concurrent one wait here until this transaction ends. */
async function claim(tx: TenantTx, { operation, key, requestHash }: Claim): Promise<boolean> {
  const written = await tx.client.$executeRaw`
    INSERT INTO idempotency_records AS r (tenant_id, operation, key, request_hash)
    VALUES (${tx.tenantId}::uuid, ${operation}, ${key}, ${requestHash})
    ON CONFLICT (tenant_id, operation, key) DO UPDATE
      SET request_hash = excluded.request_hash, response = NULL, created_at = now()
      WHERE r.created_at < now() - interval '24 hours'`;
  return written === 1;
}

async function repeat<T>(tx: TenantTx, { operation, key, requestHash }: Claim): Promise<T> {
  const record = await tx.client.idempotencyRecord.findUniqueOrThrow({
    where: { tenantId_operation_key: { tenantId: tx.tenantId, operation, key } },
  });
  if (!Buffer.from(record.requestHash).equals(requestHash)) {
    throw new AppError('BAD_USER_INPUT', `The idempotency key "${key}" came before with another ${operation} request.`);
  }
  if (record.response === null) {
    throw new AppError('CONFLICT', `The idempotency key "${key}" is in use inside its own ${operation} request.`);
  }
  return (record.response as { answer: T }).answer;
}

/** SHA-256 of the request's JSON with its object keys in order. */
function hashRequest(request: unknown): Uint8Array<ArrayBuffer> {
  const json = JSON.stringify(request, (_name, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
  return new Uint8Array(
    createHash('sha256')
      .update(json ?? 'undefined')
      .digest(),
  );
}
