import { withIdempotencyKey } from '@kindred/db/idempotency';
import { findModels, setModelSchedule } from '@kindred/db/models';
import { type TenantTx, withTenant } from '@kindred/db/tenants';
import { decodeGlobalId } from '@kindred/domain/ids';
import type { TrainingSchedule } from '@kindred/domain/training';
import { requireTenant } from '@kindred/service/guards';
import type { ModelContext } from './context.ts';
import type { ScheduleTrainingInput, UnscheduleTrainingInput, UserError } from './generated/resolvers.ts';

const MOST_MINUTES = 43_200;
const MOST_INTERACTIONS = 1_000_000_000;

/** Trains the model again and again from now on. */
export function scheduleTraining(context: ModelContext, { idempotencyKey, ...input }: ScheduleTrainingInput) {
  const { modelId, everyMinutes, afterInteractions } = input;
  const userErrors = [
    ...refuseOutside('everyMinutes', everyMinutes, MOST_MINUTES),
    ...refuseOutside('afterInteractions', afterInteractions, MOST_INTERACTIONS),
  ];
  if (userErrors.length > 0) {
    return { model: null, userErrors };
  }
  const request = { operation: 'scheduleTraining', key: idempotencyKey, request: input };
  return change(context, request, { modelId, schedule: { everyMinutes, afterInteractions } });
}

/** Trains the model only when asked from now on. */
export function unscheduleTraining(context: ModelContext, { idempotencyKey, ...input }: UnscheduleTrainingInput) {
  const request = { operation: 'unscheduleTraining', key: idempotencyKey, request: input };
  return change(context, request, { modelId: input.modelId, schedule: null });
}

/**
 * The model's row is the truth: it is written first, and Temporal is then told what the row says, so that a call which is sent
 * again heals one that was interrupted.
 */
async function change(
  { db, viewer, loaders, trainings }: ModelContext,
  { operation, key, request }: { operation: string; key: string | null | undefined; request: object },
  input: { modelId: string; schedule: TrainingSchedule | null },
) {
  const tenantId = requireTenant(viewer);
  const modelId = decodeGlobalId('Model', input.modelId);
  const write = async (tx: TenantTx): Promise<UserError[]> => {
    const [model] = await findModels(tx, [modelId]);
    if (model === undefined) {
      return [{ code: 'NOT_FOUND', message: `There is no model ${input.modelId}.`, path: ['modelId'] }];
    }
    await setModelSchedule(tx, { modelId, schedule: input.schedule });
    return [];
  };
  const userErrors = await withTenant(db, tenantId, (tx) =>
    key == null ? write(tx) : withIdempotencyKey(tx, { operation, key, request }, () => write(tx)),
  );
  const model = await loaders.models.load(modelId);
  if (model === null || userErrors.length > 0) {
    return { model: null, userErrors };
  }
  await trainings.applySchedule({ tenantId, modelId }, model.schedule);
  return { model, userErrors };
}

function refuseOutside(field: 'everyMinutes' | 'afterInteractions', value: number, most: number): UserError[] {
  if (value >= 1 && value <= most) {
    return [];
  }
  return [
    { code: 'INVALID', message: `${field} must be 1 to ${most.toLocaleString('en')}, got ${value}.`, path: [field] },
  ];
}
