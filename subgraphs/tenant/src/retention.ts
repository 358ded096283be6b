import { appendAuditEvent } from '@kindred/db/audit-log';
import { withIdempotencyKey } from '@kindred/db/idempotency';
import { findRetentionPolicy, type RetentionPolicy, setRetentionPolicy } from '@kindred/db/retention';
import { type TenantRow, withTenant } from '@kindred/db/tenants';
import { requireTenant } from '@kindred/service/guards';
import { actorOf } from './audit.ts';
import { checkNumber } from './check-number.ts';
import { checkOptionalText } from './check-text.ts';
import type { TenantContext } from './context.ts';
import type { SetRetentionInput, UserError } from './generated/resolvers.ts';

const MOST_DAYS = 3_650;

/** The shortest that may be set; the database holds the audit log's as well. */
const LEAST_DAYS: Record<keyof RetentionPolicy, number> = { interactionDays: 1, versionDays: 1, auditDays: 365 };

/** Sets how long the viewer's tenant keeps what. */
export async function setRetention(
  context: TenantContext,
  input: SetRetentionInput,
): Promise<{ retention: RetentionPolicy | null; userErrors: UserError[] }> {
  const { idempotencyKey } = input;
  const policy: RetentionPolicy = {
    interactionDays: input.interactionDays ?? null,
    versionDays: input.versionDays ?? null,
    auditDays: input.auditDays ?? null,
  };
  const userErrors = [
    ...(['interactionDays', 'versionDays', 'auditDays'] as const).flatMap((field) => {
      const days = policy[field];
      return days === null ? [] : checkNumber(days, { field, min: LEAST_DAYS[field], max: MOST_DAYS });
    }),
    ...checkOptionalText(idempotencyKey, { field: 'idempotencyKey', maxChars: 200 }),
  ];
  if (userErrors.length > 0) return { retention: null, userErrors };
  return withTenant(context.db, requireTenant(context.viewer), async (tx) => {
    const write = async (): Promise<RetentionPolicy> => {
      await setRetentionPolicy(tx, policy);
      await appendAuditEvent(tx, { actor: actorOf(context.viewer), action: 'setRetention', details: { ...policy } });
      return policy;
    };
    const once = { operation: 'setRetention', key: idempotencyKey ?? '', request: policy };
    const retention = typeof idempotencyKey === 'string' ? await withIdempotencyKey(tx, once, write) : await write();
    return { retention, userErrors };
  });
}

/** What a tenant has set. */
export async function readRetention({ db }: TenantContext, tenant: TenantRow): Promise<RetentionPolicy> {
  return withTenant(db, tenant.id, findRetentionPolicy);
}
