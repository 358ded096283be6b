import {
  checkInteractions,
  deduplicateInteractions,
  type InteractionMatrix,
  selectInteractions,
} from './interaction-matrix.ts';
import { type InteractionSplit, type SplitStrategy, splitPerUser } from './split.ts';

/** Parts that come with the data, of one user and item count. */
export interface GivenParts {
  readonly train: InteractionMatrix;
  readonly test: InteractionMatrix;
  /** Cut from `train` as told where absent. */
  readonly validation?: InteractionMatrix | undefined;
  readonly cut?: { readonly strategy: SplitStrategy; readonly share: number; readonly seed: number } | undefined;
}

export interface GivenSplit extends InteractionSplit {
  /** Distinct pairs taken out of test and validation because an earlier part has them too: leaks of the given split. */
  readonly leakedCount: number;
}

/**
 * A published split, made sound: each pair stands once, in the first of train, validation and test that has it. Without a
 * validation part one is cut from train, never from test; without `cut` it stays empty.
 * @throws InteractionDataError when a part is not whole; RangeError when the parts differ in shape.
 */
export function useGivenSplit({ train, validation, test, cut }: GivenParts): GivenSplit {
  for (const [name, part] of Object.entries({ validation: validation ?? train, test })) {
    if (part.userCount !== train.userCount || part.itemCount !== train.itemCount) {
      const got = `${part.userCount} x ${part.itemCount}`;
      throw new RangeError(`${name} has ${got} users x items, train ${train.userCount} x ${train.itemCount}.`);
    }
  }
  const seen = new Set<number>();
  const whole = deduplicateInteractions(checkInteractions(train));
  addPairs(seen, whole);
  const middle = validation ? withoutSeen(seen, validation) : null;
  if (middle) addPairs(seen, middle.part);
  const last = withoutSeen(seen, test);
  const leakedCount = (middle?.leakedCount ?? 0) + last.leakedCount;
  if (middle) return { train: whole, validation: middle.part, test: last.part, leakedCount };
  const { strategy, share, seed } = cut ?? { strategy: 'random', share: 0, seed: 0 };
  const inner = splitPerUser(whole, { strategy, validationShare: share, testShare: 0, seed });
  return { train: inner.train, validation: inner.validation, test: last.part, leakedCount };
}

const pairKey = (matrix: InteractionMatrix, position: number) =>
  (matrix.userRows[position] as number) * matrix.itemCount + (matrix.itemRows[position] as number);

function addPairs(seen: Set<number>, matrix: InteractionMatrix): void {
  for (const position of matrix.userRows.keys()) seen.add(pairKey(matrix, position));
}

function withoutSeen(seen: ReadonlySet<number>, matrix: InteractionMatrix) {
  const distinct = deduplicateInteractions(checkInteractions(matrix));
  const kept = Int32Array.from(distinct.userRows.keys()).filter((position) => !seen.has(pairKey(distinct, position)));
  return { part: selectInteractions(distinct, kept), leakedCount: distinct.userRows.length - kept.length };
}
