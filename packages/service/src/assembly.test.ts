import { expect, test } from 'vitest';
import { type AssembledField, BUBBLE, compileAssembly } from './assembly.ts';

interface Run {
  completed: unknown[];
}

const isNumber = (value: unknown): boolean => typeof value === 'number';

function field(name: string, isPlain?: AssembledField<Run>['isPlain']): AssembledField<Run> {
  return {
    name,
    property: name,
    isPlain,
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
  const { output } = assemble([field('b', isNumber), field('a', isNumber)], { a: 1, other: 2, b: 3 });
  expect(JSON.stringify(output)).toBe('{"b":3,"a":1}');
  expect(assemble([], { a: 1 }).output).toEqual({});
});

test('what surely fits is answered as it is, and all else is completed', () => {
  const fields = [field('a', isNumber), field('b', isNumber), field('c')];
  expect(assemble(fields, { a: 1, b: 'x', c: 2 })).toEqual({
    output: { a: 1, b: 'completed x', c: 'completed 2' },
    completed: ['x', 2],
  });
});

test('what cannot be null makes its object null, and nothing after it is completed', () => {
  const fields = [field('a'), field('b'), field('c')];
  expect(assemble(fields, { a: 1, b: 'bubble', c: 2 })).toEqual({ output: undefined, completed: [1, 'bubble'] });
});

test('a field is told of all that was fetched for its object', () => {
  const typename: AssembledField<Run> = {
    name: 'kind',
    property: undefined,
    isPlain: undefined,
    complete: (_value, _run, source) => source.type,
  };
  expect(assemble([typename], { type: 'Item' }).output).toEqual({ kind: 'Item' });
});

test.for(['constructor', 'toString', 'hasOwnProperty', 'valueOf'])(
  '%s is no field of what has none of its own',
  (name) => {
    expect(assemble([field(name, isNumber)], {})).toMatchObject({ completed: [undefined] });
    expect(assemble([field(name, isNumber)], { [name]: 7 }).output).toEqual({ [name]: 7 });
  },
);

test.for(['a b', 'x"]; throw new Error("run"); //', "'", '`${1}`', '\\', '\u2028', '*/ /*'])(
  'a name is never run: %j',
  (name) => {
    expect(assemble([field(name, isNumber)], { [name]: 1 })).toEqual({ output: { [name]: 1 }, completed: [] });
  },
);

test('a field may be called otherwise than what it is read from', () => {
  const renamed = { ...field('title', isNumber), property: 'name' };
  expect(assemble([renamed], { name: 1, title: 2 }).output).toEqual({ title: 1 });
  expect(JSON.stringify(assemble([{ ...renamed, name: '__proto__' }], { name: 1 }).output)).toBe('{"__proto__":1}');
});
