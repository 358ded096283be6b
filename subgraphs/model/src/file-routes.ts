import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { findJobs } from '@kindred/db/jobs';
import { withTenant } from '@kindred/db/tenants';
import { AppError } from '@kindred/domain/app-error';
import { batchFileKey } from '@kindred/domain/batch-recommendations';
import { decodeGlobalId } from '@kindred/domain/ids';
import { requireTenant } from '@kindred/service/guards';
import { ObjectNotFoundError } from '@kindred/service/object-key';
import { vouchedOf } from '@kindred/service/request-pipeline';
import type { Express, RequestHandler } from 'express';
import { type BatchRow, fileOf } from './batches.ts';
import type { ModelServices } from './context.ts';

type FileServices = Pick<ModelServices, 'db' | 'objects'>;

/** Files of batches on their way out. `admit` says who asks. */
export function addFileRoutes(app: Express, admit: RequestHandler, services: FileServices): void {
  app.get('/files/batch-recommendations/:id', admit, giveBatch(services));
}

function giveBatch({ db, objects }: FileServices): RequestHandler {
  return async (req, res) => {
    const { viewer } = vouchedOf(res);
    const tenantId = requireTenant(viewer);
    if (!viewer.scopes.includes('models:read')) throw new AppError('FORBIDDEN', 'This needs the scope models:read.');
    const id = String(req.params.id);
    const jobId = decodeGlobalId('BatchRecommendation', id);
    const noFile = () => new AppError('NOT_FOUND', `There is no batch ${id} with a file.`);
    const [batch] = await withTenant(db, tenantId, (tx) => findJobs(tx, 'BATCH_RECOMMENDATION', [jobId]));
    if (batch === undefined || fileOf(batch as BatchRow) === null) throw noFile();
    const path = await objects.materialize(batchFileKey({ tenantId, jobId })).catch((error: unknown) => {
      throw error instanceof ObjectNotFoundError ? noFile() : error;
    });
    res.attachment(`${id}.jsonl`).type('application/x-ndjson');
    await pipeline(createReadStream(path), res);
  };
}
