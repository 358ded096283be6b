import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { type Artefact, decodeArtefact } from '@kindred/core/artefact';
import { mapFile } from '@kindred/core/map-file';
import { buildVectorIndex, openVectorIndex, type VectorIndex } from '@kindred/core/vector-index';
import { AppError } from '@kindred/domain/app-error';
import type { ItemId, ModelVersionId, TenantId } from '@kindred/domain/ids';
import { decodeVersionManifest, type VersionFile } from '@kindred/domain/version-manifest';
import type { ObjectStore } from '@kindred/service/object-store';
import { type BatchedSearch, createBatchedSearch } from './batched-search.ts';

/** A version as the database knows it. */
export interface VersionRecord {
  tenantId: TenantId;
  id: ModelVersionId;
  /** The key of its manifest. */
  artefactKey: string;
  /** When its training began: what was recorded later may be unknown to it. */
  trainedAt: Date;
}

/** A version in memory, ready to answer. */
export interface LoadedVersion {
  readonly id: ModelVersionId;
  readonly trainedAt: Date;
  /** The key of its manifest: another one has the same version without a user who was erased. */
  readonly artefactKey: string;
  /** The object that the artefact is mapped from. */
  readonly artefactFileKey: string;
  readonly artefact: Artefact;
  /** Over the artefact's item vectors, by inner product. */
  readonly index: VectorIndex;
  /** Searches the index, together with others that search it meanwhile. */
  readonly search: BatchedSearch;
  readonly userRows: ReadonlyMap<string, number>;
  readonly itemRows: ReadonlyMap<string, number>;
  /** The item behind each row. */
  readonly itemIds: readonly ItemId[];
  /** All item rows by falling popularity, then by row. */
  readonly popularRows: Int32Array;
  /** About what it holds in memory. */
  readonly sizeBytes: number;
}

const WARM_QUERIES = 32;
const WARM_DEPTH = 32;
/** An id as a string of 36 characters and its entry in a map. */
const BYTES_PER_ID = 160;

/**
 * Loads a version whose files are exactly those of its manifest. Where FAISS cannot be loaded the index is exact and its
 * `notice` says so. The caller closes `index`.
 * @throws whatever makes it unfit: ObjectNotFoundError, AppError UNAVAILABLE, ArtefactError, VectorIndexError.
 */
export async function loadVersion(
  objects: ObjectStore,
  version: VersionRecord,
  { mostSearchesAtOnce }: { mostSearchesAtOnce: number },
): Promise<LoadedVersion> {
  const { tenantId, id, artefactKey, trainedAt } = version;
  const manifest = decodeVersionManifest(await objects.get(artefactKey), { tenantId, versionId: id });
  const artefactPath = await materializeChecked(objects, manifest.artefact);
  const artefact = decodeArtefact(await mapFile(artefactPath), { isHashChecked: true });
  await setImmediate();
  const indexPath = manifest.index && (await materializeChecked(objects, manifest.index));
  const index = await openIndex(artefact, indexPath);
  const fileBytes = (await stat(artefactPath)).size + (indexPath === null ? 0 : (await stat(indexPath)).size);
  await warm(index, artefact);
  // Each of the following takes 40 ms for 100,000 ids: other requests are served in between.
  const userRows = rowById(artefact.userIds);
  await setImmediate();
  const itemRows = rowById(artefact.itemIds);
  await setImmediate();
  return {
    id,
    trainedAt,
    artefactKey,
    artefactFileKey: manifest.artefact.key,
    artefact,
    index,
    search: createBatchedSearch(index, { mostAtOnce: mostSearchesAtOnce }),
    userRows,
    itemRows,
    itemIds: artefact.itemIds as readonly ItemId[],
    popularRows: sortByPopularity(artefact.popularity),
    sizeBytes: fileBytes + (userRows.size + itemRows.size) * BYTES_PER_ID,
  };
}

/** Touches what a search touches, so that the first answer of a version is not slower than the next. */
async function warm(index: VectorIndex, { items, dimension }: Artefact): Promise<void> {
  const rows = Math.min(WARM_QUERIES, index.size);
  await index.search(items.subarray(0, rows * dimension), Math.min(WARM_DEPTH, index.size));
}

function rowById(ids: readonly string[]): ReadonlyMap<string, number> {
  const rows = new Map<string, number>();
  for (const [row, id] of ids.entries()) rows.set(id, row);
  return rows;
}

async function materializeChecked(objects: ObjectStore, { key, sha256 }: VersionFile): Promise<string> {
  const path = await objects.materialize(key);
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  const found = hash.digest('hex');
  if (found !== sha256) {
    throw new AppError('UNAVAILABLE', `The object ${key} has the sha256 ${found}; its manifest wants ${sha256}.`);
  }
  return path;
}

async function openIndex({ items, dimension, itemIds }: Artefact, path: string | null): Promise<VectorIndex> {
  if (path === null) return await buildVectorIndex(items, dimension, { prefer: 'exact' });
  // Its file is immutable: what searches do not touch stays on the disk.
  const index = await openVectorIndex(path, { fallback: { vectors: items, dimension }, memoryMapped: true });
  if (index.size === itemIds.length && index.dimension === dimension) return index;
  index.close();
  const message = `The index has ${index.size} vectors of dimension ${index.dimension}, the artefact ${itemIds.length} of ${dimension}.`;
  throw new AppError('UNAVAILABLE', message);
}

function sortByPopularity(popularity: Int32Array): Int32Array {
  const rows = Int32Array.from(popularity.keys());
  return rows.toSorted((left, right) => (popularity[right] ?? 0) - (popularity[left] ?? 0) || left - right);
}
