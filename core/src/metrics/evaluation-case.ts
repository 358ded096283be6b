import type { InteractionMatrix, ItemLists } from '../interaction-matrix.ts';
import { seedRandom, shuffle } from '../random.ts';

/** What a model is measured on, ready for any number of models and epochs. */
export interface EvaluationCase {
  readonly userCount: number;
  readonly itemCount: number;
  /** Users with at least one held-out item, ascending: the ones who are measured. */
  readonly userRows: Int32Array;
  /** What is never recommended to each user: train and masked items. */
  readonly known: ItemLists;
  readonly wanted: ItemLists;
  /** Distinct training items of each user, `[userCount]`, and training users of each item, `[itemCount]`. */
  readonly activity: Int32Array;
  readonly popularity: Int32Array;
}

/**
 * The case of ranking for every user with items in `heldOut`; `masked` (the validation interactions when testing) are, like
 * those of `train`, never recommended. An item that is known and held out can therefore never be hit.
 * @throws RangeError when the matrices are not of one user and item count.
 */
export function prepareEvaluation(
  train: InteractionMatrix,
  heldOut: InteractionMatrix,
  masked?: InteractionMatrix,
): EvaluationCase {
  const { userCount, itemCount } = train;
  for (const [name, matrix] of Object.entries({ heldOut, masked: masked ?? train })) {
    if (matrix.userCount !== userCount || matrix.itemCount !== itemCount) {
      const got = `${matrix.userCount} x ${matrix.itemCount}`;
      throw new RangeError(`${name} has ${got} users x items, train ${userCount} x ${itemCount}.`);
    }
  }
  const trained = sortedItemLists([train]);
  const wanted = sortedItemLists([heldOut]);
  const popularity = new Int32Array(itemCount);
  for (const item of trained.items) popularity[item] = (popularity[item] as number) + 1;
  const activity = Int32Array.from({ length: userCount }, (_, user) => listLength(trained, user));
  const userRows = Int32Array.from(activity.keys()).filter((user) => listLength(wanted, user) > 0);
  const known = masked ? sortedItemLists([train, masked]) : trained;
  return { userCount, itemCount, userRows, known, wanted, activity, popularity };
}

/**
 * The case on `count` users drawn by `seed` without replacement (on all where it has no more), for looks at a model amid its
 * training: the means then vary as those of `count` users do, at that share of the work.
 */
export function sampleUsers(data: EvaluationCase, count: number, seed: number): EvaluationCase {
  if (data.userRows.length <= count) return data;
  const drawn = data.userRows.slice();
  shuffle(seedRandom(seed), drawn);
  return { ...data, userRows: drawn.subarray(0, count).toSorted((a, b) => a - b) };
}

/** The items of `user`, a view. */
export function itemsOf(lists: ItemLists, user: number): Int32Array {
  return lists.items.subarray(lists.offsets[user], lists.offsets[user + 1]);
}

function listLength({ offsets }: ItemLists, user: number): number {
  return (offsets[user + 1] as number) - (offsets[user] as number);
}

/** As `listItemsByUser`, in linear time: two counting sorts, by item and then by user. */
function sortedItemLists(matrices: readonly InteractionMatrix[]): ItemLists {
  const { userCount = 0, itemCount = 0 } = matrices[0] ?? {};
  const byItem = new Int32Array(itemCount + 1);
  const byUser = new Int32Array(userCount + 1);
  for (const { userRows, itemRows } of matrices) {
    for (const item of itemRows) byItem[item + 1] = (byItem[item + 1] as number) + 1;
    for (const user of userRows) byUser[user + 1] = (byUser[user + 1] as number) + 1;
  }
  for (let item = 0; item < itemCount; item++) {
    byItem[item + 1] = (byItem[item + 1] as number) + (byItem[item] as number);
  }
  for (let user = 0; user < userCount; user++) {
    byUser[user + 1] = (byUser[user + 1] as number) + (byUser[user] as number);
  }
  const users = new Int32Array(byItem[itemCount] as number);
  const next = byItem.slice();
  for (const { userRows, itemRows } of matrices) {
    for (let at = 0; at < itemRows.length; at++) {
      const item = itemRows[at] as number;
      const slot = next[item] as number;
      users[slot] = userRows[at] as number;
      next[item] = slot + 1;
    }
  }
  return gatherByUser(users, byItem, byUser);
}

/** Lists from the users of each item (`users[byItem[i] .. byItem[i + 1])`), leaving repeats out. */
function gatherByUser(users: Int32Array, byItem: Int32Array, byUser: Int32Array): ItemLists {
  const items = new Int32Array(users.length);
  const ends = byUser.slice();
  for (let item = 0; item + 1 < byItem.length; item++) {
    for (let at = byItem[item] as number; at < (byItem[item + 1] as number); at++) {
      const user = users[at] as number;
      const end = ends[user] as number;
      if (end > (byUser[user] as number) && items[end - 1] === item) continue;
      items[end] = item;
      ends[user] = end + 1;
    }
  }
  const offsets = new Int32Array(byUser.length);
  for (let user = 0; user + 1 < byUser.length; user++) {
    const start = byUser[user] as number;
    const length = (ends[user] as number) - start;
    items.copyWithin(offsets[user] as number, start, start + length);
    offsets[user + 1] = (offsets[user] as number) + length;
  }
  return { offsets, items: items.slice(0, offsets.at(-1)) };
}
