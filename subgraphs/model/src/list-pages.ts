import { listModels as readModels, type ModelRow } from '@kindred/db/models';
import { withTenant } from '@kindred/db/tenants';
import { listTrainingRuns as readRuns, type TrainingRunRow } from '@kindred/db/training-runs';
import { checkPageSize, decodeCursor } from '@kindred/domain/cursor';
import { decodeGlobalId, encodeGlobalId, type ModelId } from '@kindred/domain/ids';
import { type Connection, toConnection } from '@kindred/service/connection';
import { requireTenant } from '@kindred/service/guards';
import type { ModelContext } from './context.ts';

interface PageArgs {
  first: number;
  after?: string | null | undefined;
}

/** A page of the tenant's models, newest first. @throws AppError BAD_USER_INPUT for a page that cannot be. */
export async function listModels({ db, viewer }: ModelContext, args: PageArgs): Promise<Connection<ModelRow>> {
  const first = checkPageSize(args.first);
  const afterId = args.after == null ? null : decodeGlobalId('Model', decodeCursor(args.after));
  const rows = await withTenant(db, requireTenant(viewer), (tx) => readModels(tx, { first: first + 1, afterId }));
  return toConnection(rows, args, (model) => encodeGlobalId('Model', model.id));
}

/** A page of the tenant's runs, or of one model's, newest first. @throws AppError BAD_USER_INPUT for a page that cannot be. */
export async function listTrainingRuns(
  { db, viewer }: ModelContext,
  args: PageArgs & { modelId?: ModelId },
): Promise<Connection<TrainingRunRow>> {
  const first = checkPageSize(args.first);
  const afterId = args.after == null ? null : decodeGlobalId('TrainingRun', decodeCursor(args.after));
  const { modelId } = args;
  const rows = await withTenant(db, requireTenant(viewer), (tx) =>
    readRuns(tx, { modelId, first: first + 1, afterId }),
  );
  return toConnection(rows, args, (run) => encodeGlobalId('TrainingRun', run.id));
}
