import { nextUint32, type RandomState } from '../random.ts';

/** A number between two bounds, both included; `log` spreads the tries evenly over the orders of magnitude. */
export interface RangeParameter {
  readonly kind: 'real' | 'whole';
  readonly low: number;
  readonly high: number;
  readonly scale?: 'linear' | 'log';
}

export interface ChoiceParameter {
  readonly kind: 'choice';
  readonly values: readonly (string | number | boolean)[];
}

export type SearchSpace = Readonly<Record<string, RangeParameter | ChoiceParameter>>;

type ValueOf<Parameter> = Parameter extends { readonly values: readonly (infer Value)[] } ? Value : number;

/** One point of a space: a value for each of its names. */
export type PointOf<Space extends SearchSpace> = { readonly [Name in keyof Space]: ValueOf<Space[Name]> };

/** A space is empty or one of its parameters has no values; the message names it. */
export class SearchSpaceError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'SearchSpaceError';
  }
}

/** @throws SearchSpaceError */
export function checkSpace(space: SearchSpace): void {
  if (Object.keys(space).length === 0) throw new SearchSpaceError('Wanted at least one parameter, got 0.');
  for (const [name, parameter] of Object.entries(space)) {
    if (parameter.kind === 'choice') {
      if (parameter.values.length === 0) throw new SearchSpaceError(`${name} has no values to choose from.`);
      continue;
    }
    const { low, high, scale, kind } = parameter;
    const isRange = Number.isFinite(low) && Number.isFinite(high) && low <= high && (scale !== 'log' || low > 0);
    if (!isRange || (kind === 'whole' && !(Number.isInteger(low) && Number.isInteger(high)))) {
      throw new SearchSpaceError(`${name} is no ${scale ?? 'linear'} range of ${kind} numbers: ${low} to ${high}.`);
    }
  }
}

/** The point of the space at a place of the unit cube, one coordinate in [0, 1) for each name in order. */
export function pointAt<Space extends SearchSpace>(space: Space, place: Float64Array): PointOf<Space> {
  const entries = Object.entries(space).map(([name, parameter], index) => [
    name,
    valueAt(parameter, place[index] ?? 0),
  ]);
  return Object.fromEntries(entries) as PointOf<Space>;
}

function valueAt(parameter: RangeParameter | ChoiceParameter, share: number): string | number | boolean {
  if (parameter.kind === 'choice') {
    return parameter.values[Math.floor(share * parameter.values.length)] as string | number | boolean;
  }
  const { kind, low, high, scale } = parameter;
  // Whole numbers own intervals of equal width around them.
  const [from, to] = kind === 'whole' ? [low - 0.5, high + 0.5] : [low, high];
  const value = scale === 'log' ? from * (to / from) ** share : from + (to - from) * share;
  return Math.min(high, Math.max(low, kind === 'whole' ? Math.round(value) : value));
}

/**
 * Direction numbers of a Sobol sequence: degree s, coefficients a and first values m of each dimension after the first
 * (Joe and Kuo 2008, file new-joe-kuo-6.21201).
 */
const DIRECTIONS: readonly (readonly [degree: number, coefficients: number, ...first: number[]])[] = [
  [1, 0, 1],
  [2, 1, 1, 3],
  [3, 1, 1, 3, 1],
  [3, 2, 1, 1, 1],
  [4, 1, 1, 1, 3, 3],
  [4, 4, 1, 3, 5, 13],
  [5, 2, 1, 1, 5, 5, 17],
  [5, 4, 1, 1, 5, 5, 5],
  [5, 7, 1, 1, 7, 11, 19],
  [5, 11, 1, 1, 5, 1, 1],
  [5, 13, 1, 1, 1, 3, 11],
  [5, 14, 1, 3, 5, 5, 31],
  [6, 1, 1, 3, 3, 9, 7, 49],
  [6, 13, 1, 1, 1, 15, 21, 21],
  [6, 16, 1, 3, 1, 13, 27, 49],
];

/** As many dimensions as a Sobol sequence has here. */
export const MOST_SOBOL_DIMENSIONS = DIRECTIONS.length + 1;

/**
 * Places in the unit cube that fill it evenly from the first on (Sobol 1967), shifted by random bits of `random` in each
 * dimension (Matousek 1998), so that every seed has its own; beyond 16 dimensions independent uniform draws.
 */
export function createPlaces(kind: 'sobol' | 'random', dimensions: number, random: RandomState): () => Float64Array {
  if (kind === 'random' || dimensions > MOST_SOBOL_DIMENSIONS) {
    return () => Float64Array.from({ length: dimensions }, () => nextUint32(random) / 2 ** 32);
  }
  const directions = Array.from({ length: dimensions }, (_, dimension) => directionsOf(dimension));
  const state = Uint32Array.from({ length: dimensions }, () => nextUint32(random));
  let index = 0;
  return () => {
    const place = Float64Array.from(state, (bits) => bits / 2 ** 32);
    // Gray code: the next point differs by the direction of the lowest 0 bit of the index.
    const bit = 31 - Math.clz32(~index & -~index);
    index += 1;
    directions.forEach((own, dimension) => {
      state[dimension] = ((state[dimension] as number) ^ (own[bit] as number)) >>> 0;
    });
    return place;
  };
}

/** The 32 direction numbers of a dimension as binary fractions. */
function directionsOf(dimension: number): Uint32Array {
  const directions = new Uint32Array(32);
  const entry = DIRECTIONS[dimension - 1];
  if (!entry) return directions.map((_, bit) => 2 ** (31 - bit));
  const [degree, coefficients, ...first] = entry;
  for (let bit = 0; bit < 32; bit++) {
    if (bit < degree) {
      directions[bit] = (first[bit] as number) * 2 ** (31 - bit);
      continue;
    }
    const back = directions[bit - degree] as number;
    let value = back ^ (back >>> degree);
    for (let k = 1; k < degree; k++) {
      if ((coefficients >>> (degree - 1 - k)) & 1) value ^= directions[bit - k] as number;
    }
    directions[bit] = value >>> 0;
  }
  return directions;
}
