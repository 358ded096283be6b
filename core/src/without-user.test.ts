import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { type Artefact, decodeArtefact, encodeArtefact } from './artefact.ts';
import { withoutUser } from './without-user.ts';

const userIds = [randomUUID(), randomUUID(), randomUUID()];
const artefact: Artefact = {
  dimension: 2,
  users: Float32Array.of(1, 2, 3, 4, 5, 6),
  items: Float32Array.of(7, 8),
  userIds,
  itemIds: [randomUUID()],
  itemDegrees: Int32Array.of(3),
  foldInPower: 0.5,
  foldInMap: null,
  popularity: Int32Array.of(3),
  cutoffTimestamp: 1,
};

test.each([
  [0, [3, 4, 5, 6]],
  [1, [1, 2, 5, 6]],
  [2, [1, 2, 3, 4]],
])(
  'without the user of row %i the others keep their vectors, and the file holds neither id nor vector',
  (row, left) => {
    const gone = userIds[row] ?? '';
    const stripped = withoutUser(artefact, gone);
    if (stripped === null) throw new Error('Wanted an artefact, got none.');
    const file = Buffer.from(encodeArtefact(stripped));
    const read = decodeArtefact(file);
    expect([...read.users]).toEqual(left);
    expect(read.userIds).toEqual(userIds.filter((id) => id !== gone));
    expect(read).toMatchObject({ items: artefact.items, popularity: artefact.popularity });
    expect(file.includes(Buffer.from(gone.replaceAll('-', ''), 'hex'))).toBe(false);
  },
);

test('an artefact that does not have the user is left alone', () => {
  expect(withoutUser(artefact, randomUUID())).toBeNull();
});
