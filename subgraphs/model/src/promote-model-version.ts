import { endCanary, findRunningCanary } from '@kindred/db/canaries';
import { withIdempotencyKey } from '@kindred/db/idempotency';
import {
  findModelVersions,
  promoteModelVersion as activateVersion,
  rollbackModel as activatePrevious,
} from '@kindred/db/model-versions';
import { findModels } from '@kindred/db/models';
import { publishOutbox } from '@kindred/db/outbox';
import { type TenantTx, withTenant } from '@kindred/db/tenants';
import { decodeGlobalId, type ModelVersionId } from '@kindred/domain/ids';
import { requireTenant } from '@kindred/service/guards';
import type { ModelContext } from './context.ts';
import type {
  AbortCanaryInput,
  PromoteModelVersionInput,
  RollbackModelInput,
  UserError,
} from './generated/resolvers.ts';
import { clearLoaders } from './loaders.ts';

interface Promoted {
  versionId: ModelVersionId | null;
  userErrors: UserError[];
}

/** Makes a version the one that answers; a person's word stands above the quality gate. */
export function promoteModelVersion(context: ModelContext, { idempotencyKey, ...input }: PromoteModelVersionInput) {
  const versionId = decodeGlobalId('ModelVersion', input.versionId);
  const request = { operation: 'promoteModelVersion', key: idempotencyKey, request: input };
  return promote(context, request, async (tx) => {
    const [version] = await findModelVersions(tx, [versionId]);
    if (version === undefined) {
      return refuse('NOT_FOUND', `There is no model version ${input.versionId}.`, 'versionId');
    }
    if (version.status === 'BUILDING') {
      return refuse('CONFLICT', `Version ${version.number} is still being built.`, 'versionId');
    }
    await activateVersion(tx, { versionId });
    return { versionId, userErrors: [] };
  });
}

/** Lets the version answer again that did before the active one. */
export function rollbackModel(context: ModelContext, { idempotencyKey, ...input }: RollbackModelInput) {
  const modelId = decodeGlobalId('Model', input.modelId);
  const request = { operation: 'rollbackModel', key: idempotencyKey, request: input };
  return promote(context, request, async (tx) => {
    const [model] = await findModels(tx, [modelId]);
    if (model === undefined) {
      return refuse('NOT_FOUND', `There is no model ${input.modelId}.`, 'modelId');
    }
    const previous = await activatePrevious(tx, modelId);
    return previous === null
      ? refuse('CONFLICT', `No version of "${model.name}" answered before the active one.`, 'modelId')
      : { versionId: previous.id, userErrors: [] };
  });
}

/** Ends the canary of a version: the version before answers everybody again. */
export function abortCanary(context: ModelContext, { idempotencyKey, ...input }: AbortCanaryInput) {
  const versionId = decodeGlobalId('ModelVersion', input.versionId);
  const request = { operation: 'abortCanary', key: idempotencyKey, request: input };
  return promote(context, request, async (tx) => {
    const [version] = await findModelVersions(tx, [versionId]);
    if (version === undefined) {
      return refuse('NOT_FOUND', `There is no model version ${input.versionId}.`, 'versionId');
    }
    const ended = await endCanary(tx, versionId, { status: 'ABORTED', reason: 'It was ended by a person.' });
    return ended
      ? { versionId, userErrors: [] }
      : refuse('CONFLICT', `Version ${version.number} is not on trial.`, 'versionId');
  });
}

/** Decides in one transaction, then tells serving; a word that cannot be passed on now stays in the outbox. */
async function promote(
  context: ModelContext,
  { operation, key, request }: { operation: string; key: string | null | undefined; request: object },
  decide: (tx: TenantTx) => Promise<Promoted>,
) {
  const { db, events, logger, viewer, loaders } = context;
  const tenantId = requireTenant(viewer);
  const canary = await withTenant(db, tenantId, findRunningCanary);
  const { versionId, userErrors } = await withTenant(db, tenantId, (tx) =>
    key == null ? decide(tx) : withIdempotencyKey(tx, { operation, key, request }, () => decide(tx)),
  );
  if (versionId === null) {
    return { modelVersion: null, userErrors };
  }
  try {
    await publishOutbox(db, tenantId, (topic, message) => events.publish(topic, message));
  } catch (err) {
    logger.warn({ err, tenantId }, 'A promotion was not announced yet; its word stays in the outbox.');
  }
  clearLoaders(loaders);
  if (canary !== null) {
    await tellRunOfCanary(context, canary.versionId);
  }
  return { modelVersion: await loaders.versions.load(versionId), userErrors };
}

function refuse(code: UserError['code'], message: string, field: string): Promoted {
  return { versionId: null, userErrors: [{ code, message, path: [field] }] };
}

/** The training that waits for a canary looks at once; without the word it looks by itself, a little later. */
async function tellRunOfCanary({ loaders, trainings, logger }: ModelContext, versionId: ModelVersionId): Promise<void> {
  const version = await loaders.versions.load(versionId);
  const run = version && (await loaders.runs.load(version.runId));
  if (!run) {
    return;
  }
  try {
    await trainings.signal(run, 'lookAtCanary', { requestId: versionId });
  } catch (err) {
    logger.warn({ err, versionId }, 'A training was not told of its canary; it looks by itself.');
  }
}
