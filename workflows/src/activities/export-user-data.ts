import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { withTenant } from '@kindred/db/tenants';
import { expireUserExport, findUserExport, finishUserExport } from '@kindred/db/user-exports';
import { userExportFolder } from '@kindred/domain/user-events';
import type { ExportUserDataInput } from '../contract.ts';
import { type GatheredFile, gatherUserData } from '../gather-user-data.ts';
import { withHeartbeat } from '../heartbeat.ts';
import { encodeTar } from '../tar-file.ts';
import type { ActivityDeps } from './create-activities.ts';

/** Until when the archive is there; null when the user was erased meanwhile, and there is none. */
export interface GatheredExport {
  expiresAtMs: number | null;
}

/** Gathers everything that is kept of the user into one archive, with a manifest that has a hash of every file. */
export async function exportUserData(deps: ActivityDeps, input: ExportUserDataInput): Promise<GatheredExport> {
  const { tenantId, exportId } = input;
  const row = await withTenant(deps.db, tenantId, (tx) => findUserExport(tx, exportId));
  const archive = row && (await withHeartbeat(() => buildArchive(deps, { ...row, exportId })));
  if (archive === null) {
    return deleteArchive(deps, input);
  }
  const sha256 = createHash('sha256').update(archive).digest();
  const archiveKey = `${userExportFolder(tenantId, exportId)}/${sha256.toString('hex')}.tar.gz`;
  await deps.objects.put(archiveKey, archive);
  const finished = { id: exportId, archiveKey, sha256, sizeBytes: archive.length };
  if (!(await withTenant(deps.db, tenantId, (tx) => finishUserExport(tx, finished)))) {
    return deleteArchive(deps, input);
  }
  const done = await withTenant(deps.db, tenantId, (tx) => findUserExport(tx, exportId));
  return { expiresAtMs: done?.expiresAt?.getTime() ?? null };
}

/** Deletes the archive: its time is over. */
export async function expireExport(deps: ActivityDeps, input: ExportUserDataInput): Promise<void> {
  await deleteArchive(deps, input);
  await withTenant(deps.db, input.tenantId, (tx) => expireUserExport(tx, input.exportId));
}

async function deleteArchive(
  { objects }: ActivityDeps,
  { tenantId, exportId }: ExportUserDataInput,
): Promise<GatheredExport> {
  await objects.delete(userExportFolder(tenantId, exportId));
  return { expiresAtMs: null };
}

async function buildArchive(
  deps: ActivityDeps,
  input: Parameters<typeof gatherUserData>[1] & { exportId: string; requestedAt: Date },
): Promise<Buffer | null> {
  const gathered = await gatherUserData(deps, input);
  if (gathered === null) {
    return null;
  }
  const { user, files } = gathered;
  const entries = files.map(({ name, lines }) => ({ name, bytes: encodeLines(lines) }));
  const manifest = {
    format: 'kindred-user-export-1',
    exportId: input.exportId,
    tenantId: user.tenantId,
    user: { id: user.id, externalId: user.externalId },
    requestedAt: input.requestedAt.toISOString(),
    files: entries.map(({ name, bytes }, index) => ({
      name,
      lineCount: countLines(files[index]),
      sha256: createHash('sha256').update(bytes).digest('hex'),
    })),
  };
  const bytes = Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`);
  return await promisify(gzip)(encodeTar([{ name: 'manifest.json', bytes }, ...entries], input.requestedAt));
}

function countLines(file: GatheredFile | undefined): number {
  return file?.lines.length ?? 0;
}

function encodeLines(lines: readonly string[]): Buffer {
  return Buffer.from(lines.map((line) => `${line}\n`).join(''));
}
