import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { listImportErrors } from '@kindred/db/import-errors';
import { findJobs } from '@kindred/db/jobs';
import { withTenant } from '@kindred/db/tenants';
import { AppError } from '@kindred/domain/app-error';
import { decodeGlobalId, encodeGlobalId, type ImportId, newId, type TenantId } from '@kindred/domain/ids';
import { MAX_UPLOAD_BYTES, uploadKey } from '@kindred/domain/imports';
import type { Scope } from '@kindred/domain/viewer';
import { requireTenant } from '@kindred/service/guards';
import type { Vouched } from '@kindred/service/internal-token';
import { vouchedOf } from '@kindred/service/request-pipeline';
import type { Express, RequestHandler } from 'express';
import type { CatalogServices } from './context.ts';

type FileServices = Pick<CatalogServices, 'db' | 'objects'>;

const ERRORS_PER_READ = 5_000;

/** Files on their way in and out: uploads to import, and what was wrong with them. `admit` says who asks. */
export function addFileRoutes(app: Express, admit: RequestHandler, services: FileServices): void {
  app.post('/files/uploads', admit, takeUpload(services));
  app.get('/files/imports/:id/errors', admit, giveErrors(services));
}

function takeUpload(services: FileServices): RequestHandler {
  return async (req, res) => {
    const tenantId = requireScope(vouchedOf(res), 'catalog:write');
    const uploadId = newId('Upload');
    await store(services, { key: uploadKey(tenantId, uploadId), body: req });
    res.status(201).json({ uploadId: encodeGlobalId('Upload', uploadId) });
  };
}

function giveErrors(services: FileServices): RequestHandler {
  return async (req, res) => {
    const tenantId = requireScope(vouchedOf(res), 'models:read');
    const id = String(req.params.id);
    const importId = decodeGlobalId('Import', id);
    const [found] = await withTenant(services.db, tenantId, (tx) => findJobs(tx, 'IMPORT', [importId]));
    if (found === undefined) throw new AppError('NOT_FOUND', `There is no import ${id}.`);
    res.attachment(`${id}-errors.jsonl`).type('application/x-ndjson');
    await pipeline(Readable.from(writeErrors(services, tenantId, importId)), res);
  };
}

function requireScope({ viewer }: Vouched, scope: Scope): TenantId {
  const tenantId = requireTenant(viewer);
  if (!viewer.scopes.includes(scope)) throw new AppError('FORBIDDEN', `This needs the scope ${scope}.`);
  return tenantId;
}

/** Whole or not at all: through a local file, never through memory. */
async function store({ objects }: FileServices, { key, body }: { key: string; body: Readable }): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'kindred-upload-'));
  const path = join(folder, 'file');
  try {
    await pipeline(body, refuseBeyond(MAX_UPLOAD_BYTES), createWriteStream(path));
    await objects.putFile(key, path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function refuseBeyond(maxBytes: number): Transform {
  let sizeBytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      sizeBytes += chunk.length;
      const isTooLarge = sizeBytes > maxBytes;
      done(
        isTooLarge ? new AppError('BAD_USER_INPUT', `An upload may have ${maxBytes} bytes, got more.`) : null,
        chunk,
      );
    },
  });
}

/** A JSON object on each line, in the order of the file. */
async function* writeErrors({ db }: FileServices, tenantId: TenantId, importId: ImportId): AsyncGenerator<string> {
  for (let afterNumber = 0; ; ) {
    const page = { importId, first: ERRORS_PER_READ, afterNumber };
    const errors = await withTenant(db, tenantId, (tx) => listImportErrors(tx, page));
    const last = errors.at(-1);
    if (last === undefined) return;
    yield errors.map(({ line, field, message }) => `${JSON.stringify({ line, field, message })}\n`).join('');
    afterNumber = last.number;
  }
}
