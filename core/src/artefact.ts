import { decodeColumns, encodeColumns, FileFormatError } from './columnar-file.ts';
import { packUuids, unpackUuids } from './uuid-column.ts';

/** The bytes are not an undamaged artefact; see `reason`. */
export class ArtefactError extends FileFormatError {}

/** All that serving needs of one trained model version. Rows of all columns are the training snapshot's. */
export interface Artefact {
  readonly dimension: number;
  /** `[userCount, dimension]` and `[itemCount, dimension]`, float32, row by row; a score is the inner product. */
  readonly users: Float32Array;
  readonly items: Float32Array;
  readonly userIds: readonly string[];
  readonly itemIds: readonly string[];
  /** Training users per item, `[itemCount]`, and how they and a map fold users in: see `FoldInModel`. */
  readonly itemDegrees: Int32Array;
  readonly foldInPower: number;
  readonly foldInMap: Float32Array | null;
  /** Users per item over the whole snapshot, `[itemCount]`. */
  readonly popularity: Int32Array;
  /** Epoch milliseconds of the newest interaction the model has seen. */
  readonly cutoffTimestamp: number;
}

const FORMAT = { magic: 'KNDARTF2', error: ArtefactError };

/**
 * The artefact as one columnar file with a sha256; equal artefacts give equal bytes.
 * @throws TypeError when an id is not a UUID; ArtefactError MALFORMED when the lengths contradict each other.
 */
export function encodeArtefact(artefact: Artefact): Uint8Array<ArrayBuffer> {
  const { dimension, users, items, itemDegrees, foldInPower, foldInMap, popularity, cutoffTimestamp } = artefact;
  const userCount = artefact.userIds.length;
  const itemCount = artefact.itemIds.length;
  const mapLength = foldInMap ? dimension * dimension : 0;
  const map = foldInMap ?? new Float32Array(0);
  const lengths = [users.length, items.length, itemDegrees.length, popularity.length, map.length];
  const wanted = [userCount * dimension, itemCount * dimension, itemCount, itemCount, mapLength];
  if (lengths.some((length, index) => length !== wanted[index])) {
    const message = `users, items, itemDegrees, popularity, foldInMap have ${lengths.join(', ')} values, wanted ${wanted.join(', ')}.`;
    throw new ArtefactError('MALFORMED', message);
  }
  return encodeColumns(
    FORMAT,
    { dimension, userCount, itemCount, foldInPower, cutoffTimestamp },
    {
      users,
      items,
      itemDegrees,
      foldInMap: map,
      popularity,
      userIds: packUuids(artefact.userIds),
      itemIds: packUuids(artefact.itemIds),
    },
  );
}

/**
 * The artefact that `encodeArtefact` encoded; its columns may view `bytes`, which must not change afterwards. With
 * `isHashChecked` their hash is not checked again: see `decodeColumns`.
 * @throws ArtefactError when the bytes are truncated, altered or something else.
 */
export function decodeArtefact(bytes: Uint8Array, options: { isHashChecked?: boolean } = {}): Artefact {
  const file = decodeColumns(FORMAT, bytes, options);
  const dimension = file.number('dimension');
  const userCount = file.number('userCount');
  const itemCount = file.number('itemCount');
  const foldInMap = file.float32('foldInMap');
  if (foldInMap.length !== 0 && foldInMap.length !== dimension * dimension) {
    const message = `foldInMap has ${foldInMap.length} values, wanted none or ${dimension * dimension}.`;
    throw new ArtefactError('MALFORMED', message);
  }
  return {
    dimension,
    users: file.float32('users', userCount * dimension),
    items: file.float32('items', itemCount * dimension),
    userIds: unpackUuids(file.bytes('userIds', userCount * 16)),
    itemIds: unpackUuids(file.bytes('itemIds', itemCount * 16)),
    itemDegrees: file.int32('itemDegrees', itemCount),
    foldInPower: file.number('foldInPower'),
    foldInMap: foldInMap.length === 0 ? null : foldInMap,
    popularity: file.int32('popularity', itemCount),
    cutoffTimestamp: file.number('cutoffTimestamp'),
  };
}
