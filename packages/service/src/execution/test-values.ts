import { hash } from '@kindred/testing/random';
import {
  getNullableType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  isAbstractType,
  isListType,
  isNonNullType,
  isObjectType,
} from 'graphql';

/** From 0 to 999, the same for the same text. */
export const fateOf = (text: string): number => hash(text) % 1_000;

const LEAVES: Readonly<Record<string, readonly unknown[]>> = {
  Int: [7, -1, 0, '12', true, 2 ** 31, 0.5, 'x', { valueOf: () => 3 }],
  Float: [0.5, -3, 1e300, '1.5', Number.NaN, 'x'],
  String: ['text', '', 'é "quoted"', 7, true, {}, ['a']],
  ID: ['id_1', 12, 0.5, {}],
  Boolean: [true, false, 1, 'yes'],
  Mood: ['GOOD', 'BAD', 'WORSE', 1],
  Anything: [{ deep: [1, null] }, 'x', 0, [[]]],
};

/** Resolves after a few turns of the microtask queue, or fails then. */
async function later(work: () => unknown, turns: number): Promise<unknown> {
  for (let turn = 0; turn < turns; turn++) await Promise.resolve();
  return work();
}

/** A promise that an answer may do without. */
function abandoned(promise: Promise<unknown>): Promise<unknown> {
  promise.catch(() => undefined);
  return promise;
}

/** Whatever resolvers may give, the same for the same key: values of their type and others, errors, promises of each, and functions. */
export function createValues(schema: GraphQLSchema, storm: number) {
  const valueOf = (type: GraphQLOutputType, key: string): unknown => {
    const fate = fateOf(`${key} fate`);
    const settled = () => settledOf(type, key);
    if (fate < storm) return fateOf(`${key} kind`) < 500 ? new Error(`given ${key}`) : null;
    if (fate > 999 - storm) return abandoned(Promise.reject(new Error(`rejected ${key}`)));
    if (fateOf(`${key} when`) > 800) return abandoned(later(settled, fateOf(`${key} turns`) % 5));
    return settled();
  };
  const settledOf = (type: GraphQLOutputType, key: string): unknown => {
    if (isNonNullType(type)) return settledOf(type.ofType, key);
    if (isListType(type)) {
      const list = Array.from({ length: fateOf(`${key} length`) % 4 }, (_, index) =>
        valueOf(type.ofType, `${key}.${index}`),
      );
      return fateOf(`${key} form`) < 200 ? new Set(list) : list;
    }
    if (isObjectType(type)) return objectOf(type, key);
    if (isAbstractType(type)) {
      const types = schema.getPossibleTypes(type);
      const named = types[fateOf(`${key} type`) % types.length];
      return named && objectOf(named, key);
    }
    // In a storm some leaves are of another type.
    const leaves = LEAVES[type.name] ?? [];
    return leaves[fateOf(`${key} leaf`) % (fateOf(`${key} odd`) < storm ? leaves.length : 2)];
  };
  const objectOf = (type: GraphQLObjectType, key: string): object => {
    const object = { key, __typename: fateOf(`${key} told`) < storm / 4 ? 'Nobody' : type.name };
    for (const field of Object.values(type.getFields())) {
      const own = `${key}.${field.name}`;
      const isFunction = fateOf(`${own} function`) < 100;
      const get = () => {
        if (fateOf(`${own} throws`) < storm / 2) throw new Error(`thrown ${own}`);
        if (!isFunction) return valueOf(field.type, own);
        return (args: object) => valueOf(getNullableType(field.type), `${own}(${JSON.stringify(args)})`);
      };
      Object.defineProperty(object, field.name, { get });
    }
    return object;
  };
  return { valueOf };
}
