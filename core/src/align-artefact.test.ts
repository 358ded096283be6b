import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { alignArtefact } from './align-artefact.ts';
import type { Artefact } from './artefact.ts';
import { prepareEvaluation } from './metrics/evaluation-case.ts';
import { rankUsers } from './metrics/rank-users.ts';
import type { Snapshot } from './snapshot.ts';

const [left, right, fresh] = [randomUUID(), randomUUID(), randomUUID()];
const [ann, bob] = [randomUUID(), randomUUID()];

/** Knows Ann, who likes what lies to the right, and two items. */
const ARTEFACT: Artefact = {
  dimension: 1,
  users: Float32Array.of(2),
  items: Float32Array.of(-1, 3),
  userIds: [ann],
  itemIds: [left, right],
  itemDegrees: Int32Array.of(1, 1),
  foldInPower: 0,
  foldInMap: null,
  popularity: Int32Array.of(1, 1),
  cutoffTimestamp: 0,
};

function snapshotOf(pairs: [user: string, item: string][]): Snapshot {
  const userIds: string[] = [bob, ann];
  const itemIds: string[] = [fresh, right, left];
  return {
    userIds,
    itemIds,
    matrix: {
      userCount: 2,
      itemCount: 3,
      userRows: Int32Array.from(pairs, ([user]) => userIds.indexOf(user)),
      itemRows: Int32Array.from(pairs, ([, item]) => itemIds.indexOf(item)),
      weights: new Float32Array(pairs.length).fill(1),
      timestamps: new Float64Array(pairs.length),
    },
  };
}

test('a model ranks in the rows of another snapshot; items that it does not know come last', () => {
  const snapshot = snapshotOf([[bob, left]]);
  const ranker = alignArtefact(ARTEFACT, snapshot);
  const nothing = { ...snapshot.matrix, userRows: new Int32Array(0), itemRows: new Int32Array(0) };
  const empty = { ...nothing, weights: new Float32Array(0), timestamps: new Float64Array(0) };
  const wanted = snapshotOf([
    [ann, right],
    [bob, right],
  ]).matrix;
  const { itemRows } = rankUsers(ranker, prepareEvaluation(empty, wanted), { cutoff: 3 });
  const names = Array.from(itemRows, (row) => ['fresh', 'right', 'left'][row]);
  // Bob, whom it does not know, is folded in from what he has: the left.
  expect(names.slice(0, 3)).toEqual(['left', 'right', 'fresh']);
  expect(names.slice(3)).toEqual(['right', 'left', 'fresh']);
});

test('a user with nothing that the model knows has a vector of zeros', () => {
  const { userVectors, dimension } = alignArtefact(ARTEFACT, snapshotOf([[bob, fresh]]));
  expect(dimension).toBe(2);
  expect([...userVectors]).toEqual([0, 1, 2, 1]);
});
