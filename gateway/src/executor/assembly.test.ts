import { expect, test } from 'vitest';
import { type AssembledField, BUBBLE, compileAssembly, type PlainKind } from './assembly.ts';

interface Run {
  completed: unknown[];
}

function field(name: string, plain?: PlainKind): AssembledField<Run> {
  return {
    name,
    plain,
    complete: (value, { completed }) => {
      completed.push(value);
      return value === 'bubble' ? BUBBLE : `completed ${String(value)}`;
    },
  };
}

function assemble(fields: readonly AssembledField<Run>[], input: object) {
  const run: Run = { completed: [] };
  return { output: compileAssembly(fields)(input as Record<string, unknown>, run), ...run };
}

test('an object has its fields in their order, and nothing else of what was fetched', () => {
  const { output } = assemble([field('b', 'string'), field('a', 'int')], { a: 1, other: 2, b: 'x' });
  expect(JSON.stringify(output)).toBe('{"b":"x","a":1}');
  expect(assemble([], { a: 1 }).output).toEqual({});
});

test.for<[PlainKind | undefined, unknown[], unknown[]]>([
  ['string', ['', 'text'], [1, null, undefined, ['a']]],
  ['boolean', [true, false], ['true', 0, null]],
  ['int', [0, -7, 2 ** 53 - 1], [0.5, 2 ** 53, '1', null]],
  ['float', [0, -0.5, 1e300], [Number.NaN, Infinity, '1', null]],
  [undefined, [], ['text', 1, true, null]],
])('of %s only what surely fits is answered as it is', ([plain, fitting, others]) => {
  for (const value of fitting) {
    expect(assemble([field('a', plain)], { a: value })).toEqual({ output: { a: value }, completed: [] });
  }
  for (const value of others) {
    const expected = { output: { a: `completed ${String(value)}` }, completed: [value] };
    expect(assemble([field('a', plain)], { a: value })).toEqual(expected);
  }
});

test('what cannot be null makes its object null, and nothing after it is completed', () => {
  const fields = [field('a'), field('b'), field('c')];
  expect(assemble(fields, { a: 1, b: 'bubble', c: 2 })).toEqual({ output: undefined, completed: [1, 'bubble'] });
});

test('a field is told of all that was fetched for its object', () => {
  const typename: AssembledField<Run> = {
    name: 'kind',
    plain: undefined,
    complete: (_value, _run, input) => input.type,
  };
  expect(assemble([typename], { type: 'Item' }).output).toEqual({ kind: 'Item' });
});

test.for(['constructor', 'toString', 'hasOwnProperty', 'valueOf'])(
  '%s is no field of what has none of its own',
  (name) => {
    expect(assemble([field(name, 'string')], {})).toMatchObject({ completed: [undefined] });
    expect(assemble([field(name, 'string')], { [name]: 'own' }).output).toEqual({ [name]: 'own' });
  },
);

test.for(['a b', 'x"]; throw new Error("run"); //', "'", '`${1}`', '\\', '\u2028', '*/ /*'])(
  'a name is never run: %j',
  (name) => {
    expect(assemble([field(name, 'int')], { [name]: 1 })).toEqual({ output: { [name]: 1 }, completed: [] });
  },
);
