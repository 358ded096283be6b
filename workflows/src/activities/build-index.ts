import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createModelVersion, type IndexSummary, type ModelVersionRow } from '@kindred/db/model-versions';
import { withTenant } from '@kindred/db/tenants';
import { type ModelVersionId, newId } from '@kindred/domain/ids';
import type { VersionAlgorithm } from '@kindred/domain/training';
import {
  encodeVersionManifest,
  type VersionFile,
  versionFolder,
  versionManifestKey,
} from '@kindred/domain/version-manifest';
import type { ObjectStore } from '@kindred/service/object-store';
import { startComputeThread } from '../compute-thread.ts';
import type { TrainModelInput } from '../contract.ts';
import { withHeartbeat } from '../heartbeat.ts';
import type { BuiltIndex, IndexThreadInput } from '../index-thread.ts';
import { recordEvent } from '../record-event.ts';
import type { ModelRef } from '../store-model.ts';
import { beginPhase } from './begin-phase.ts';
import type { ActivityDeps } from './create-activities.ts';

/** A version whose files are whole, not yet promoted. */
export interface VersionRef {
  versionId: ModelVersionId;
  algorithm: VersionAlgorithm;
  number: number;
  index: IndexSummary;
}

/** The reason names files of the machine: it is for the log. */
const STAND_IN = 'The index is not the one that was wanted: a slower one stands in for it, or it finds less.';

const INDEX_THREAD = new URL('../index-thread.ts', import.meta.url);

/** Makes a version of the run: artefact and index, and last the manifest, without which they are nothing. */
export async function buildIndex(
  deps: ActivityDeps,
  input: TrainModelInput & { model: ModelRef },
): Promise<VersionRef> {
  const { model } = input;
  // All steps of the instant model are told as one.
  if (model.algorithm !== 'SPECTRAL') {
    await beginPhase(deps, input, { phase: 'BUILD_INDEX', message: 'Building the vector index' });
  }
  const version = await reserveVersion(deps, input);
  const { index, reason, notice } = await withHeartbeat(async (signal) => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'kindred-index-'));
    const artefactPath = await deps.objects.materialize(model.key);
    const threadInput: IndexThreadInput = { artefactPath, outputFolder: folder.path };
    await using thread = startComputeThread<BuiltIndex>(INDEX_THREAD, threadInput, signal);
    const built = await thread.ask();
    await storeVersion(deps.objects, version, {
      artefact: { path: artefactPath, sha256: model.sha256 },
      index: built.file,
    });
    return built;
  });
  if (reason !== null && model.algorithm !== 'SPECTRAL') {
    await recordEvent(deps, { ...input, dedupeKey: 'index-reason', body: { kind: 'LOG', message: reason } });
  }
  if (notice !== null) {
    deps.logger.warn({ versionId: version.id, notice }, 'The index is not the one that was wanted.');
    await recordEvent(deps, { ...input, dedupeKey: 'index-notice', body: { kind: 'LOG', message: STAND_IN } });
  }
  return { versionId: version.id, algorithm: model.algorithm, number: version.number, index };
}

/** The row of the version, which the first attempt creates. */
function reserveVersion(
  deps: ActivityDeps,
  { tenantId, runId, model: { algorithm } }: TrainModelInput & { model: ModelRef },
): Promise<ModelVersionRow> {
  const id = newId('ModelVersion');
  const artefactKey = versionManifestKey(tenantId, id);
  return withTenant(deps.db, tenantId, (tx) => createModelVersion(tx, { id, runId, algorithm, artefactKey }));
}

interface LocalFile {
  path: string;
  sha256: string;
}

async function storeVersion(
  objects: ObjectStore,
  version: ModelVersionRow,
  files: { artefact: LocalFile; index: LocalFile | null },
): Promise<void> {
  const { tenantId, id: versionId } = version;
  const folder = versionFolder(tenantId, versionId);
  const artefact = await storeFile(objects, `${folder}/artefact`, files.artefact);
  const index = files.index && (await storeFile(objects, `${folder}/index`, files.index));
  await objects.put(version.artefactKey, encodeVersionManifest({ tenantId, versionId, artefact, index }));
}

/** Named by its content: an attempt that was given up cannot change a file that the manifest of a later one names. */
async function storeFile(objects: ObjectStore, prefix: string, { path, sha256 }: LocalFile): Promise<VersionFile> {
  const key = `${prefix}-${sha256}`;
  await objects.putFile(key, path);
  return { key, sha256 };
}
