import { createHmac, hkdfSync } from 'node:crypto';
import type { TenantId } from '@kindred/domain/ids';

/**
 * Names an end user in what is kept for ever: HMAC-SHA256 under a key of the pepper's own for this use. Ids are often short
 * numbers, so that a hash without a key would give them away.
 */
export function subjectOf(pepper: string, tenantId: TenantId, externalId: string): Buffer<ArrayBuffer> {
  const key = Buffer.from(hkdfSync('sha256', pepper, '', 'kindred erasure subjects', 32));
  return createHmac('sha256', key)
    .update(JSON.stringify([tenantId, externalId]))
    .digest();
}
