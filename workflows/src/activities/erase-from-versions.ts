import { createHash } from 'node:crypto';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { appendReceiptLine, type ReceiptLine } from '@kindred/db/erasure-receipts';
import { getErasure } from '@kindred/db/erasures';
import { listWholeVersions, type ModelVersionRow, replaceVersionFiles } from '@kindred/db/model-versions';
import { publishOutbox } from '@kindred/db/outbox';
import { withTenant } from '@kindred/db/tenants';
import type { UserId } from '@kindred/domain/ids';
import type { ErasureRef } from '@kindred/domain/user-events';
import {
  decodeVersionManifest,
  encodeVersionManifest,
  versionFolder,
  type VersionManifest,
} from '@kindred/domain/version-manifest';
import { startComputeThread } from '../compute-thread.ts';
import { withHeartbeat } from '../heartbeat.ts';
import type { StrippedArtefact, StripThreadInput } from '../strip-thread.ts';
import type { ActivityDeps } from './create-activities.ts';

const STRIP_THREAD = new URL('../strip-thread.ts', import.meta.url);

/** Takes the user's vector out of every version of the tenant, those that answer first, and tells serving. */
export async function eraseFromVersions(deps: ActivityDeps, { tenantId, erasureId }: ErasureRef): Promise<void> {
  const { userId } = await withTenant(deps.db, tenantId, (tx) => getErasure(tx, erasureId));
  if (userId === null) {
    return;
  }
  const versions = await withTenant(deps.db, tenantId, listWholeVersions);
  await withHeartbeat(async (signal) => {
    for (const version of versions) {
      const lines = await eraseFromVersion(deps, { version, userId, signal });
      await withTenant(deps.db, tenantId, async (tx) => {
        for (const line of lines) await appendReceiptLine(tx, erasureId, line);
      });
      await publishOutbox(deps.db, tenantId, (topic, message) => deps.events.publish(topic, message));
    }
  });
}

/** @throws Error when the version's files changed meanwhile: another try reads the new ones. */
async function eraseFromVersion(
  { db, objects }: ActivityDeps,
  { version, userId, signal }: { version: ModelVersionRow; userId: UserId; signal: AbortSignal },
): Promise<ReceiptLine[]> {
  const { tenantId, id: versionId, artefactKey: from } = version;
  const manifest = decodeVersionManifest(await objects.get(from), { tenantId, versionId });
  await using folder = await mkdtempDisposable(join(tmpdir(), 'kindred-strip-'));
  const outputPath = join(folder.path, 'artefact');
  const artefactPath = await objects.materialize(manifest.artefact.key);
  const threadInput: StripThreadInput = { artefactPath, userId, outputPath };
  await using thread = startComputeThread<StrippedArtefact>(STRIP_THREAD, threadInput, signal);
  const { sha256 } = await thread.ask();
  if (sha256 === null) {
    return linesOf(manifest, { sha256: manifest.artefact.sha256, rowCount: 0 });
  }
  const artefact = { key: `${versionFolder(tenantId, versionId)}/artefact-${sha256}`, sha256 };
  await objects.putFile(artefact.key, outputPath);
  const bytes = encodeVersionManifest({ tenantId, versionId, artefact, index: manifest.index });
  const to = `${versionFolder(tenantId, versionId)}/manifest-${createHash('sha256').update(bytes).digest('hex')}.json`;
  await objects.put(to, bytes);
  if (!(await withTenant(db, tenantId, (tx) => replaceVersionFiles(tx, { versionId, from, to })))) {
    throw new Error(`The files of the version ${versionId} are not ${from} any more.`);
  }
  await objects.delete(manifest.artefact.key);
  await objects.delete(from);
  return linesOf(manifest, { sha256, rowCount: 1 });
}

/** The evidence names the artefact before and after, and the index, which is over items alone. */
function linesOf(manifest: VersionManifest, { sha256, rowCount }: { sha256: string; rowCount: number }): ReceiptLine[] {
  const { versionId: scope, artefact, index } = manifest;
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return [
    { store: 'MODEL_VERSION', scope, rowCount, evidence: hash(`${artefact.sha256} ${sha256}`) },
    { store: 'INDEX', scope, rowCount: 0, evidence: hash(index?.sha256 ?? 'exact') },
  ];
}
