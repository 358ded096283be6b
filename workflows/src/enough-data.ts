import { MINIMUM_DATA } from './contract.ts';
import { permanentFailure } from './failures.ts';

interface DataCounts {
  userCount: number;
  itemCount: number;
  interactionCount: number;
}

/** @throws NotEnoughData, saying what was wanted and what there is. */
export function requireEnoughData(found: DataCounts): void {
  const { userCount, itemCount, interactionCount } = MINIMUM_DATA;
  if (found.userCount < userCount || found.itemCount < itemCount || found.interactionCount < interactionCount) {
    throw permanentFailure(
      'NotEnoughData',
      `A training needs at least ${inWords(MINIMUM_DATA)}; there are ${inWords(found)}.`,
    );
  }
}

/** @throws NotEnoughData when no interactions can be held out: nothing could be measured. */
export function requireHeldOut(heldOutCount: number): void {
  if (heldOutCount === 0) {
    throw permanentFailure(
      'NotEnoughData',
      'A training is measured on what users did last, which takes users with at least 5 different items; there are none.',
    );
  }
}

function inWords({ userCount, itemCount, interactionCount }: DataCounts): string {
  const count = (value: number) => value.toLocaleString('en');
  return `${count(userCount)} users, ${count(itemCount)} items and ${count(interactionCount)} interactions`;
}
