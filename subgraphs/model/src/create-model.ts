import { withIdempotencyKey } from '@kindred/db/idempotency';
import { createModel as insertModel } from '@kindred/db/models';
import { TakenError } from '@kindred/db/taken-error';
import { type TenantTx, withTenant } from '@kindred/db/tenants';
import { type ModelId, newId } from '@kindred/domain/ids';
import { requireTenant } from '@kindred/service/guards';
import type { ModelContext } from './context.ts';
import type { CreateModelInput, UserError } from './generated/resolvers.ts';
import { mergeSettings } from './hyperparameters.ts';

interface Created {
  modelId: ModelId | null;
  userErrors: UserError[];
}

/** Creates a model that keeps what the input sets; everything else follows the data of each training. */
export async function createModel({ db, viewer, loaders }: ModelContext, input: CreateModelInput) {
  const { idempotencyKey, ...request } = input;
  const { modelId, userErrors } = await withTenant(db, requireTenant(viewer), (tx) =>
    idempotencyKey == null
      ? create(tx, request)
      : withIdempotencyKey(tx, { operation: 'createModel', key: idempotencyKey, request }, () => create(tx, request)),
  );
  return { model: modelId && (await loaders.models.load(modelId)), userErrors };
}

async function create(tx: TenantTx, input: Omit<CreateModelInput, 'idempotencyKey'>): Promise<Created> {
  const name = input.name.trim();
  const { settings, userErrors } = mergeSettings({}, input.hyperparameters);
  if (name.length < 1 || name.length > 80) {
    const message = `name must be 1-80 characters, got ${name.length}.`;
    userErrors.unshift({ code: 'INVALID', message, path: ['name'] });
  }
  if (userErrors.length > 0) {
    return { modelId: null, userErrors };
  }
  try {
    const { id } = await insertModel(tx, { id: newId('Model'), name, algorithm: input.algorithm, settings });
    return { modelId: id, userErrors: [] };
  } catch (error) {
    if (error instanceof TakenError) {
      return { modelId: null, userErrors: [{ code: 'TAKEN', message: error.message, path: ['name'] }] };
    }
    throw error;
  }
}
