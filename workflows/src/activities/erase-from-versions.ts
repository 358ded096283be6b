import { createHash } from 'node:crypto';
import { decodeArtefact, encodeArtefact } from '@kindred/core/artefact';
import { mapFile } from '@kindred/core/map-file';
import { withoutUser } from '@kindred/core/without-user';
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
import { withHeartbeat } from '../heartbeat.ts';
import type { ActivityDeps } from './create-activities.ts';

/** Takes the user's vector out of every version of the tenant, those that answer first, and tells serving. */
export async function eraseFromVersions(deps: ActivityDeps, { tenantId, erasureId }: ErasureRef): Promise<void> {
  const { userId } = await withTenant(deps.db, tenantId, (tx) => getErasure(tx, erasureId));
  if (userId === null) {
    return;
  }
  const versions = await withTenant(deps.db, tenantId, listWholeVersions);
  await withHeartbeat(async (signal) => {
    for (const version of versions) {
      signal.throwIfAborted();
      const lines = await eraseFromVersion(deps, version, userId);
      await withTenant(deps.db, tenantId, async (tx) => {
        for (const line of lines) await appendReceiptLine(tx, erasureId, line);
      });
      await publishOutbox(deps.db, tenantId, (topic, message) => deps.events.publish(topic, message));
    }
  });
}

/**
 * Writes the version's artefact without the user, sets the version to it, and deletes what was before. No thread of its own:
 * for a million users it is a second's work, and threads take longer to start than most versions.
 * @throws Error when the version's files changed meanwhile: another try reads the new ones.
 */
async function eraseFromVersion(
  { db, objects }: ActivityDeps,
  { tenantId, id: versionId, artefactKey: from }: ModelVersionRow,
  userId: UserId,
): Promise<ReceiptLine[]> {
  const manifest = decodeVersionManifest(await objects.get(from), { tenantId, versionId });
  const stripped = withoutUser(decodeArtefact(await mapFile(await objects.materialize(manifest.artefact.key))), userId);
  if (stripped === null) {
    return linesOf(manifest, { sha256: manifest.artefact.sha256, rowCount: 0 });
  }
  const file = encodeArtefact(stripped);
  const sha256 = createHash('sha256').update(file).digest('hex');
  const artefact = { key: `${versionFolder(tenantId, versionId)}/artefact-${sha256}`, sha256 };
  await objects.put(artefact.key, file);
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
