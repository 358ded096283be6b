import { createHash } from 'node:crypto';
import { mkdtempDisposable, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Artefact, encodeArtefact } from '@kindred/core/artefact';
import { type FoldableVectors, makeFoldable } from '@kindred/core/foldable-vectors';
import { fitInstantModel } from '@kindred/core/instant-model';
import { countUsersByItem, type InteractionMatrix } from '@kindred/core/interaction-matrix';
import { createLightGcn, embeddings, trainEpoch } from '@kindred/core/lightgcn/light-gcn';
import { createSnapshotBuilder } from '@kindred/core/snapshot';
import { buildVectorIndex } from '@kindred/core/vector-index';
import type { Db } from '@kindred/db/client';
import { exportInteractions } from '@kindred/db/interaction-export';
import { completeModelVersion, createModelVersion, promoteModelVersion } from '@kindred/db/model-versions';
import { listModels } from '@kindred/db/models';
import { withTenant } from '@kindred/db/tenants';
import { finishTrainingRun, startTrainingRun } from '@kindred/db/training-runs';
import { type ModelVersionId, newId, type TenantId } from '@kindred/domain/ids';
import type { IndexKind, VersionAlgorithm } from '@kindred/domain/training';
import {
  encodeVersionManifest,
  type VersionFile,
  type VersionManifest,
  versionFolder,
  versionManifestKey,
} from '@kindred/domain/version-manifest';
import type { ObjectStore } from '@kindred/service/object-store';
import { createTestModel, createTestRun, TEST_SETTINGS } from '@kindred/testing/test-model';

const EPOCHS = 60;
const METRICS = { ndcgAt10: 0.5, recallAt10: 0.5, hitRateAt10: 0.5, coverageAt10: 0.5 };

export interface TestVersion {
  id: ModelVersionId;
  artefact: Artefact;
  manifest: Omit<VersionManifest, 'format'>;
}

interface Deps {
  db: Db;
  objects: ObjectStore;
}

/** A version of the tenant's one model, trained on all that the tenant has and written as the training writes it; not yet promoted. */
export async function trainTestVersion(
  { db, objects }: Deps,
  tenantId: TenantId,
  { kind = 'FAISS', algorithm = 'LIGHTGCN' }: { kind?: IndexKind; algorithm?: VersionAlgorithm } = {},
): Promise<TestVersion> {
  const id = newId('ModelVersion');
  const runId = await withTenant(db, tenantId, async (tx) => {
    const [known] = await listModels(tx, { first: 1 });
    const run = await createTestRun(tx, known ?? (await createTestModel(tx)));
    await startTrainingRun(tx, run.id);
    return run.id;
  });
  const artefact = await fitArtefact(db, tenantId, algorithm);
  await withTenant(db, tenantId, async (tx) => {
    await createModelVersion(tx, { id, runId, algorithm, artefactKey: versionManifestKey(tenantId, id) });
    const index = { kind, factory: kind === 'FAISS' ? 'Flat' : null, recallAt20: 1 };
    await completeModelVersion(tx, { versionId: id, metrics: METRICS, baselines: [], index });
    await finishTrainingRun(tx, { runId, status: 'SUCCEEDED' });
  });
  const manifest = await storeVersion(objects, { tenantId, versionId: id }, { artefact, kind });
  return { id, artefact, manifest };
}

export async function promote(db: Db, tenantId: TenantId, versionId: ModelVersionId): Promise<void> {
  await withTenant(db, tenantId, (tx) => promoteModelVersion(tx, { versionId }));
}

async function fitArtefact(db: Db, tenantId: TenantId, algorithm: VersionAlgorithm): Promise<Artefact> {
  const builder = createSnapshotBuilder();
  for await (const rows of exportInteractions(db, tenantId)) builder.add(rows);
  const { matrix, userIds, itemIds } = builder.build();
  const vectors = algorithm === 'SPECTRAL' ? await fitInstantModel(matrix) : await trainVectors(matrix);
  const degrees = countUsersByItem(matrix);
  const cutoffTimestamp = Math.max(...matrix.timestamps);
  return { ...vectors, userIds, itemIds, itemDegrees: degrees, popularity: degrees, cutoffTimestamp };
}

async function trainVectors(matrix: InteractionMatrix): Promise<FoldableVectors> {
  const model = await createLightGcn(matrix, { ...TEST_SETTINGS, epochs: EPOCHS });
  for (let epoch = 0; epoch < EPOCHS; epoch++) await trainEpoch(model);
  const vectors = await embeddings(model);
  model.backend.close();
  return makeFoldable(matrix, vectors);
}

async function storeVersion(
  objects: ObjectStore,
  version: Pick<VersionManifest, 'tenantId' | 'versionId'>,
  { artefact, kind }: { artefact: Artefact; kind: IndexKind },
): Promise<TestVersion['manifest']> {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'kindred-version-'));
  const artefactPath = join(folder.path, 'artefact');
  await writeFile(artefactPath, encodeArtefact(artefact));
  const indexPath = join(folder.path, 'index');
  if (kind === 'FAISS') {
    const index = await buildVectorIndex(artefact.items, artefact.dimension, { prefer: 'faiss' });
    await index.write(indexPath);
    index.close();
  }
  const prefix = versionFolder(version.tenantId, version.versionId);
  const manifest = {
    ...version,
    artefact: await storeFile(objects, `${prefix}/artefact`, artefactPath),
    index: kind === 'FAISS' ? await storeFile(objects, `${prefix}/index`, indexPath) : null,
  };
  await objects.put(versionManifestKey(version.tenantId, version.versionId), encodeVersionManifest(manifest));
  return manifest;
}

async function storeFile(objects: ObjectStore, prefix: string, path: string): Promise<VersionFile> {
  const sha256 = createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
  const key = `${prefix}-${sha256}`;
  await objects.putFile(key, path);
  return { key, sha256 };
}
