/** The state of a xoshiro128** generator (Blackman and Vigna 2021, arXiv:1805.01407): four 32-bit words, mutated by every draw. */
export type RandomState = Uint32Array;

/** A generator whose draws depend on `seed` alone, on every platform. Only the low 53 bits of `seed` count. */
export function seedRandom(seed: number): RandomState {
  const state = new Uint32Array(4);
  let word = (seed ^ Math.floor(seed / 2 ** 32)) >>> 0;
  for (let index = 0; index < 4; index++) {
    // splitmix32, as the authors of xoshiro advise for seeding.
    word = (word + 0x9e3779b9) >>> 0;
    let mixed = word ^ (word >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    state[index] = mixed ^ (mixed >>> 15);
  }
  return state;
}

/** The next uniform 32-bit draw. */
export function nextUint32(state: RandomState): number {
  const s0 = state[0] ?? 0;
  const s1 = state[1] ?? 0;
  const s2 = (state[2] ?? 0) ^ s0;
  const s3 = (state[3] ?? 0) ^ s1;
  const scrambled = Math.imul(s1, 5);
  const result = Math.imul((scrambled << 7) | (scrambled >>> 25), 9) >>> 0;
  state[0] = s0 ^ s3;
  state[1] = s1 ^ s2;
  state[2] = s2 ^ (s1 << 9);
  state[3] = (s3 << 11) | (s3 >>> 21);
  return result;
}

/** A uniform whole number in [0, bound). Its bias is below bound / 2^32. */
export function nextBelow(state: RandomState, bound: number): number {
  return Math.floor((nextUint32(state) / 2 ** 32) * bound);
}

/** A draw from the standard normal distribution (Box-Muller; takes two uniform draws). */
export function nextNormal(state: RandomState): number {
  const radius = Math.sqrt(-2 * Math.log((nextUint32(state) + 1) / 2 ** 32));
  return radius * Math.cos((2 * Math.PI * nextUint32(state)) / 2 ** 32);
}

/** `count` draws from the normal distribution around 0. A plain loop: `Float32Array.from` leaves its values as garbage. */
export function drawNormals(state: RandomState, count: number, deviation = 1): Float32Array {
  const values = new Float32Array(count);
  for (let index = 0; index < count; index++) values[index] = deviation * nextNormal(state);
  return values;
}

/** Puts `values` into a uniformly random order, in place (Fisher-Yates). */
export function shuffle(state: RandomState, values: Int32Array): void {
  for (let last = values.length - 1; last > 0; last--) {
    const other = nextBelow(state, last + 1);
    const kept = values[last] ?? 0;
    values[last] = values[other] ?? 0;
    values[other] = kept;
  }
}
