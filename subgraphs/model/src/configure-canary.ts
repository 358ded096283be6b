import { withIdempotencyKey } from '@kindred/db/idempotency';
import { findModels, setModelCanary } from '@kindred/db/models';
import { type TenantTx, withTenant } from '@kindred/db/tenants';
import type { CanarySettings } from '@kindred/domain/canary';
import { decodeGlobalId } from '@kindred/domain/ids';
import { requireTenant } from '@kindred/service/guards';
import type { ModelContext } from './context.ts';
import type { ConfigureCanaryInput, UserError } from './generated/resolvers.ts';

const MOST: Record<keyof CanarySettings, number> = {
  sharePercent: 99,
  minimumAnswers: 10_000_000,
  maximumMinutes: 20_160,
};

/** Says how the model's new versions come to answer from now on. */
export async function configureCanary(context: ModelContext, { idempotencyKey: key, ...input }: ConfigureCanaryInput) {
  const { db, viewer, loaders } = context;
  const canary = input.canary ?? null;
  const outside = canary === null ? [] : refuseOutside(canary);
  if (outside.length > 0) {
    return { model: null, userErrors: outside };
  }
  const modelId = decodeGlobalId('Model', input.modelId);
  const write = async (tx: TenantTx): Promise<UserError[]> => {
    const [model] = await findModels(tx, [modelId]);
    if (model === undefined) {
      return [{ code: 'NOT_FOUND', message: `There is no model ${input.modelId}.`, path: ['modelId'] }];
    }
    await setModelCanary(tx, { modelId, canary });
    return [];
  };
  const request = { operation: 'configureCanary', key: key ?? '', request: input };
  const userErrors = await withTenant(db, requireTenant(viewer), (tx) =>
    key == null ? write(tx) : withIdempotencyKey(tx, request, () => write(tx)),
  );
  return { model: userErrors.length > 0 ? null : await loaders.models.load(modelId), userErrors };
}

function refuseOutside(settings: CanarySettings): UserError[] {
  return (Object.keys(MOST) as (keyof CanarySettings)[]).flatMap((field) => {
    const [value, most] = [settings[field], MOST[field]];
    const message = `${field} must be 1 to ${most.toLocaleString('en')}, got ${value}.`;
    return value >= 1 && value <= most ? [] : [{ code: 'INVALID' as const, message, path: ['canary', field] }];
  });
}
