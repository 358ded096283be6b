/** `count` seeds from the first on: `--seeds 3` is 1, 2 and 3, `--seed 7` is 7 alone. @throws RangeError */
export function readSeeds({
  seed = '1',
  seeds = '1',
}: {
  seed?: string | undefined;
  seeds?: string | undefined;
}): number[] {
  const [first, count] = [Number(seed), Number(seeds)];
  if (!(Number.isInteger(first) && first >= 0 && Number.isInteger(count) && count >= 1)) {
    throw new RangeError(`Wanted a whole --seed >= 0 and --seeds >= 1, got ${seed} and ${seeds}.`);
  }
  return Array.from({ length: count }, (_, index) => first + index);
}
