import { withIdempotencyKey } from '@kindred/db/idempotency';
import { cancelAbandonedJob, createJob, findJobs, setEndedJobState } from '@kindred/db/jobs';
import { findModels, setModelSettings } from '@kindred/db/models';
import { allowTrainings, PlanLimitError } from '@kindred/db/plan-limits';
import { type TenantTx, withTenant } from '@kindred/db/tenants';
import { decodeGlobalId, newId, type TuningId } from '@kindred/domain/ids';
import type { TuningOrder } from '@kindred/domain/tunings';
import { requireTenant } from '@kindred/service/guards';
import type { ModelContext } from './context.ts';
import type { ApplyTuningInput, CancelTuningInput, TuneModelInput, UserError } from './generated/resolvers.ts';
import type { TuningRow } from './tunings.ts';

interface Payload {
  tuning: TuningRow | null;
  userErrors: UserError[];
}

const RANGES = { trialCount: [2, 64], parallelCount: [1, 8], epochs: [1, 1_000], seed: [0, 2 ** 31 - 1] } as const;

/** Queues a tuning and starts its workflow. Of calls at once for one model the database lets one through. */
export async function tuneModel(context: ModelContext, input: TuneModelInput): Promise<Payload> {
  const { db, viewer, loaders, tuningWorkflows } = context;
  const tenantId = requireTenant(viewer);
  const { idempotencyKey: key, ...request } = input;
  const { modelId: globalModelId, apply: applies, ...rest } = request;
  const modelId = decodeGlobalId('Model', globalModelId);
  const wrong = refuseOutside(input);
  if (wrong.length > 0) return { tuning: null, userErrors: wrong };
  const order: TuningOrder = { ...rest, applies };
  const queue = async (tx: TenantTx): Promise<{ id: TuningId | null; userErrors: UserError[] }> => {
    const refuse = (code: UserError['code'], message: string) => ({
      id: null,
      userErrors: [{ code, message, path: ['modelId'] }],
    });
    const [model] = await findModels(tx, [modelId]);
    if (model === undefined) return refuse('NOT_FOUND', `There is no model ${globalModelId}.`);
    const refusal = await findPlanRefusal(tx, order.trialCount);
    if (refusal !== null) return refuse('PLAN_LIMIT_REACHED', refusal);
    const id = newId('Tuning');
    const isFirst = await createJob(tx, { id, kind: 'TUNING', modelId, order });
    return isFirst ? { id, userErrors: [] } : refuse('CONFLICT', 'The model has a tuning that is queued or running.');
  };
  const { id, userErrors } = await withTenant(db, tenantId, (tx) =>
    key == null ? queue(tx) : withIdempotencyKey(tx, { operation: 'tuneModel', key, request }, () => queue(tx)),
  );
  if (id === null) return { tuning: null, userErrors };
  await tuningWorkflows.start({ tenantId, jobId: id });
  return { tuning: await loaders.tunings.load(id), userErrors };
}

/** Why the plan does not allow so many trials more, each of which counts as a training of the month; null where it does. */
async function findPlanRefusal(tx: TenantTx, trialCount: number): Promise<string | null> {
  try {
    await allowTrainings(tx, trialCount);
    return null;
  } catch (error) {
    if (error instanceof PlanLimitError) return error.message;
    throw error;
  }
}

/** Ends an open tuning; one that no workflow works on is ended here. */
export async function cancelTuning(context: ModelContext, input: CancelTuningInput): Promise<Payload> {
  const { loaders, tuningWorkflows, viewer } = context;
  const tenantId = requireTenant(viewer);
  const { id, userErrors } = await decide(context, input, {
    operation: 'cancelTuning',
    judge: async (_tx, { finishedAt, status }) =>
      finishedAt === null ? null : `The tuning has ended already, as ${status}.`,
  });
  if (userErrors.length === 0 && (await tuningWorkflows.cancel({ tenantId, jobId: id })) === 'gone') {
    await withTenant(context.db, tenantId, (tx) => cancelAbandonedJob(tx, id, 'The tuning was cancelled.'));
  }
  return { tuning: await loaders.tunings.load(id), userErrors };
}

/** Gives the model the best settings of a tuning that has ended. */
export async function applyTuning(context: ModelContext, input: ApplyTuningInput): Promise<Payload> {
  const { id, userErrors } = await decide(context, input, { operation: 'applyTuning', judge: applyBest });
  return { tuning: await context.loaders.tunings.load(id), userErrors };
}

async function applyBest(tx: TenantTx, { id, modelId, finishedAt, state }: TuningRow): Promise<string | null> {
  if (finishedAt === null) return 'The tuning has not ended.';
  const { best } = state;
  const [model] = modelId === null ? [] : await findModels(tx, [modelId]);
  if (best == null || model === undefined) return 'The tuning found no settings.';
  await setModelSettings(tx, { modelId: model.id, settings: { ...model.settings, ...best.settings } });
  await setEndedJobState(tx, { id, state: { ...state, appliedAt: Date.now() } });
  return null;
}

/** Judges, and for the first call of a key alone; `judge` says in a sentence why not. */
async function decide(
  { db, viewer }: ModelContext,
  { tuningId, idempotencyKey: key }: CancelTuningInput | ApplyTuningInput,
  wish: { operation: string; judge: (tx: TenantTx, tuning: TuningRow) => Promise<string | null> },
): Promise<{ id: TuningId; userErrors: UserError[] }> {
  const id = decodeGlobalId('Tuning', tuningId);
  const { operation, judge } = wish;
  const judgeFound = async (tx: TenantTx): Promise<UserError[]> => {
    const [tuning] = await findJobs(tx, 'TUNING', [id]);
    if (tuning === undefined) {
      return [{ code: 'NOT_FOUND', message: `There is no tuning ${tuningId}.`, path: ['tuningId'] }];
    }
    const message = await judge(tx, tuning as TuningRow);
    return message === null ? [] : [{ code: 'CONFLICT', message, path: ['tuningId'] }];
  };
  const userErrors = await withTenant(db, requireTenant(viewer), (tx) =>
    key == null
      ? judgeFound(tx)
      : withIdempotencyKey(tx, { operation, key, request: { tuningId } }, () => judgeFound(tx)),
  );
  return { id, userErrors };
}

function refuseOutside(input: TuneModelInput): UserError[] {
  return Object.entries(RANGES).flatMap(([name, [least, most]]): UserError[] => {
    const value = input[name as keyof typeof RANGES];
    if (value >= least && value <= most) return [];
    const message = `${name} must be ${least} to ${most.toLocaleString('en')}, got ${value}.`;
    return [{ code: 'INVALID', message, path: [name] }];
  });
}
