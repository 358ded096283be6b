import { expect, test } from 'vitest';
import { createCheckerboard, matrixOf } from '../golden/checkerboard.ts';
import { evaluateRanking } from './evaluate.ts';
import { foldInUser } from './fold-in.ts';
import { fitInstantModel } from './instant-model.ts';
import { countUsersByItem, listItemsByUser, selectInteractions } from './interaction-matrix.ts';
import { popularityScores } from './popularity.ts';

test('folding in the items of a trained user gives the vector of that user', async () => {
  const { train } = createCheckerboard(16);
  const model = await fitInstantModel(train);
  const foldIn = { ...model, itemDegrees: countUsersByItem(train) };
  const { offsets, items } = listItemsByUser(train);
  for (let user = 0; user < train.userCount; user++) {
    const folded = foldInUser(foldIn, items.subarray(offsets[user], offsets[user + 1]));
    const own = model.users.subarray(user * model.dimension, (user + 1) * model.dimension);
    expect(Math.hypot(...own)).toBeGreaterThan(0.01);
    folded.forEach((value, column) => expect(value).toBeCloseTo(own[column] ?? Number.NaN, 5));
  }
});

test('it ranks what users of a checkerboard lack better than popularity does', async () => {
  const { train, withheld } = createCheckerboard(16);
  const heldOut = matrixOf(
    16,
    16,
    withheld.map((item, user) => [user, item]),
  );
  const { users, items, dimension } = await fitInstantModel(train);
  const model = evaluateRanking({ userVectors: users, itemVectors: items, dimension }, train, heldOut);
  const popularity = evaluateRanking({ scores: popularityScores(train) }, train, heldOut);
  expect(model.ndcgAt10).toBeGreaterThan(1.5 * popularity.ndcgAt10);
});

test('data without interactions are refused by name', async () => {
  const { train } = createCheckerboard(16);
  const none = selectInteractions(train, new Int32Array(0));
  await expect(fitInstantModel(none)).rejects.toMatchObject({ name: 'InteractionDataError', reason: 'EMPTY' });
});
