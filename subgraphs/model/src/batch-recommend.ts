import { withIdempotencyKey } from '@kindred/db/idempotency';
import { cancelAbandonedJob, createJob, findJobs } from '@kindred/db/jobs';
import { findActiveVersions } from '@kindred/db/model-versions';
import { findModels } from '@kindred/db/models';
import { type TenantTx, withTenant } from '@kindred/db/tenants';
import { findUserIds } from '@kindred/db/users';
import { type BatchRecommendationOrder, MOST_NAMED_USERS } from '@kindred/domain/batch-recommendations';
import { type BatchRecommendationId, decodeGlobalId, newId, type UserId } from '@kindred/domain/ids';
import { requireTenant } from '@kindred/service/guards';
import type { BatchRow } from './batches.ts';
import type { ModelContext } from './context.ts';
import type { BatchRecommendInput, CancelBatchRecommendationInput, UserError } from './generated/resolvers.ts';

interface Payload {
  batchRecommendation: BatchRow | null;
  userErrors: UserError[];
}

interface Judged {
  id: BatchRecommendationId | null;
  userErrors: UserError[];
}

const MOST_ITEMS = 100;
const KEPT_FOR_MS = 7 * 24 * 3_600_000;

/** Queues a batch of the model's active version, and starts its workflow. */
export async function batchRecommend(context: ModelContext, input: BatchRecommendInput): Promise<Payload> {
  const { db, viewer, loaders, batchWorkflows } = context;
  const tenantId = requireTenant(viewer);
  const { idempotencyKey: key, ...request } = input;
  const wrong = refuseOutside(input);
  if (wrong.length > 0) return { batchRecommendation: null, userErrors: wrong };
  const { id, userErrors } = await withTenant(db, tenantId, (tx) =>
    key == null
      ? queue(tx, request)
      : withIdempotencyKey(tx, { operation: 'batchRecommend', key, request }, () => queue(tx, request)),
  );
  if (id === null) return { batchRecommendation: null, userErrors };
  await batchWorkflows.start({ tenantId, jobId: id });
  return { batchRecommendation: await loaders.batches.load(id), userErrors };
}

async function queue(tx: TenantTx, request: Omit<BatchRecommendInput, 'idempotencyKey'>): Promise<Judged> {
  const { modelId: globalModelId, count, userExternalIds } = request;
  const modelId = decodeGlobalId('Model', globalModelId);
  const [model] = await findModels(tx, [modelId]);
  if (model === undefined) return refuse('NOT_FOUND', `There is no model ${globalModelId}.`, ['modelId']);
  const [version] = await findActiveVersions(tx, [modelId]);
  if (version === undefined) return refuse('CONFLICT', 'The model has no active version: train it first.', ['modelId']);
  const found = userExternalIds == null ? null : await findUserIds(tx, userExternalIds);
  const unknown = userExternalIds?.findIndex((externalId) => !found?.has(externalId)) ?? -1;
  if (unknown >= 0) {
    const path = ['userExternalIds', String(unknown)];
    return refuse('NOT_FOUND', `There is no user "${userExternalIds?.[unknown]}".`, path);
  }
  const userIds: UserId[] | null = found === null ? null : [...found.values()];
  const order: BatchRecommendationOrder = { versionId: version.id, count, userIds, keptForMs: KEPT_FOR_MS };
  const id = newId('BatchRecommendation');
  await createJob(tx, { id, kind: 'BATCH_RECOMMENDATION', modelId, order });
  return { id, userErrors: [] };
}

/** Ends an open batch; one that no workflow works on is ended here. */
export async function cancelBatchRecommendation(
  { db, loaders, viewer, batchWorkflows }: ModelContext,
  { batchRecommendationId: globalId, idempotencyKey: key }: CancelBatchRecommendationInput,
): Promise<Payload> {
  const tenantId = requireTenant(viewer);
  const id = decodeGlobalId('BatchRecommendation', globalId);
  const judge = async (tx: TenantTx): Promise<Judged> => {
    const [batch] = await findJobs(tx, 'BATCH_RECOMMENDATION', [id]);
    const path = ['batchRecommendationId'];
    if (batch === undefined) return refuse('NOT_FOUND', `There is no batch ${globalId}.`, path);
    if (batch.finishedAt === null) return { id, userErrors: [] };
    return refuse('CONFLICT', `The batch has ended already, as ${batch.status}.`, path);
  };
  const operation = 'cancelBatchRecommendation';
  const { userErrors } = await withTenant(db, tenantId, (tx) =>
    key == null ? judge(tx) : withIdempotencyKey(tx, { operation, key, request: { globalId } }, () => judge(tx)),
  );
  if (userErrors.length === 0 && (await batchWorkflows.cancel({ tenantId, jobId: id })) === 'gone') {
    await withTenant(db, tenantId, (tx) => cancelAbandonedJob(tx, id, 'The batch was cancelled.'));
  }
  return { batchRecommendation: await loaders.batches.load(id), userErrors };
}

function refuse(code: UserError['code'], message: string, path: string[]): Judged {
  return { id: null, userErrors: [{ code, message, path }] };
}

function refuseOutside({ count, userExternalIds }: BatchRecommendInput): UserError[] {
  const userErrors: UserError[] = [];
  if (count < 1 || count > MOST_ITEMS) {
    const message = `count must be 1 to ${MOST_ITEMS}, got ${count}.`;
    userErrors.push({ code: 'INVALID', message, path: ['count'] });
  }
  const named = userExternalIds?.length ?? 1;
  if (named < 1 || named > MOST_NAMED_USERS) {
    const message = `userExternalIds must name 1 to ${MOST_NAMED_USERS.toLocaleString('en')} users, got ${named}.`;
    userErrors.push({ code: 'INVALID', message, path: ['userExternalIds'] });
  }
  return userErrors;
}
