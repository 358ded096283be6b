import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { type Artefact, ArtefactError, decodeArtefact, encodeArtefact } from './artefact.ts';
import { createSnapshotBuilder, decodeSnapshot, encodeSnapshot, SnapshotError } from './snapshot.ts';

const uuids = (count: number) => Array.from({ length: count }, () => randomUUID() as string);

function createSnapshot() {
  const [users, items] = [uuids(3), uuids(5)];
  const builder = createSnapshotBuilder();
  builder.add([
    { userId: users[0] ?? '', itemId: items[4] ?? '', value: 2.5, occurredAt: new Date(1000) },
    { userId: users[1] ?? '', itemId: items[4] ?? '', occurredAt: new Date(2000) },
  ]);
  builder.add([{ userId: users[0] ?? '', itemId: items[1] ?? '', value: null, occurredAt: new Date(3000) }]);
  return { snapshot: builder.build(), users, items };
}

function createArtefact(): Artefact {
  return {
    dimension: 3,
    users: Float32Array.of(1, 2, 3, 4, 5, 6),
    items: Float32Array.of(7, 8, 9),
    userIds: uuids(2),
    itemIds: uuids(1),
    itemDegrees: Int32Array.of(2),
    foldInPower: 0,
    foldInMap: Float32Array.from({ length: 9 }, (_, at) => at / 8),
    popularity: Int32Array.of(4),
    cutoffTimestamp: 1_700_000_000_000,
  };
}

const FILES = [
  {
    name: 'snapshot',
    bytes: () => encodeSnapshot(createSnapshot().snapshot),
    decode: decodeSnapshot as (bytes: Uint8Array) => unknown,
    error: SnapshotError,
  },
  { name: 'artefact', bytes: () => encodeArtefact(createArtefact()), decode: decodeArtefact, error: ArtefactError },
];

test('a builder numbers users and items in order of appearance and counts a missing value as weight 1', () => {
  const { snapshot, users, items } = createSnapshot();
  expect(snapshot.userIds).toEqual([users[0], users[1]]);
  expect(snapshot.itemIds).toEqual([items[4], items[1]]);
  expect([...snapshot.matrix.userRows]).toEqual([0, 1, 0]);
  expect([...snapshot.matrix.itemRows]).toEqual([0, 0, 1]);
  expect([...snapshot.matrix.weights]).toEqual([2.5, 1, 1]);
  expect([...snapshot.matrix.timestamps]).toEqual([1000, 2000, 3000]);
});

test('a builder takes more rows than its first allocation', () => {
  const builder = createSnapshotBuilder();
  const ids = uuids(5000);
  builder.add(ids.map((id) => ({ userId: id, itemId: ids[0] ?? '', occurredAt: new Date(0) })));
  expect(builder.build().matrix).toMatchObject({ userCount: 5000, itemCount: 1 });
});

test('a snapshot survives encoding and decoding', () => {
  const { snapshot } = createSnapshot();
  expect(decodeSnapshot(encodeSnapshot(snapshot))).toEqual(snapshot);
});

test('an empty snapshot survives encoding and decoding', () => {
  const snapshot = createSnapshotBuilder().build();
  expect(decodeSnapshot(encodeSnapshot(snapshot))).toEqual(snapshot);
});

test('an artefact survives encoding and decoding, from bytes at any alignment', () => {
  const artefact = createArtefact();
  const bytes = encodeArtefact(artefact);
  const shifted = new Uint8Array(bytes.length + 3);
  shifted.set(bytes, 3);
  expect(decodeArtefact(shifted.subarray(3))).toEqual(artefact);
});

test('an artefact without a fold-in map comes back without one', () => {
  const artefact = { ...createArtefact(), foldInMap: null, foldInPower: 1 };
  expect(decodeArtefact(encodeArtefact(artefact))).toEqual(artefact);
});

test.each([{ items: new Float32Array(4) }, { foldInMap: new Float32Array(8) }])(
  'an artefact with contradicting lengths is refused: %o',
  (wrong) => {
    expect(() => encodeArtefact({ ...createArtefact(), ...wrong })).toThrow(
      expect.objectContaining({ name: 'ArtefactError', reason: 'MALFORMED' }),
    );
  },
);

test('an id that is no UUID is refused', () => {
  const artefact = { ...createArtefact(), itemIds: ['movie-1'] };
  expect(() => encodeArtefact(artefact)).toThrow('"movie-1" at row 0 is not a UUID');
});

describe.each(FILES)('a damaged $name', ({ bytes, decode, error, name }) => {
  test.each([0, 1, 7, 8, 20, 60, 200])('of only %i bytes is reported as truncated', (length) => {
    const decodeCut = () => decode(bytes().slice(0, length));
    expect(decodeCut).toThrow(error);
    expect(decodeCut).toThrow(expect.objectContaining({ reason: 'TRUNCATED' }));
  });

  test('without its last byte is reported as truncated', () => {
    expect(() => decode(bytes().slice(0, -1))).toThrow(expect.objectContaining({ reason: 'TRUNCATED' }));
  });

  test('with any one byte altered is refused', () => {
    const whole = bytes();
    for (let position = 0; position < whole.length; position++) {
      const altered = whole.slice();
      altered[position] = (altered[position] ?? 0) ^ 0x10;
      expect(() => decode(altered), `${name} byte ${position}`).toThrow(error);
    }
  });

  test('that is another kind of file is reported as the wrong format', () => {
    const other = name === 'snapshot' ? encodeArtefact(createArtefact()) : encodeSnapshot(createSnapshot().snapshot);
    expect(() => decode(other)).toThrow(expect.objectContaining({ reason: 'WRONG_FORMAT' }));
  });
});
