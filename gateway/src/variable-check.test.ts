import { buildSchema, getOperationAST, getVariableValues, parse } from 'graphql';
import { expect, test } from 'vitest';
import { Random } from '@kindred/testing/random';
import { compileVariableCheck } from './variable-check.ts';

const SCHEMA = buildSchema(`
  type Query { a: Int }
  enum Order { NEWEST OLDEST }
  scalar Anything
  input One @oneOf { id: ID name: String }
  input Where { and: [Where!] name: String eq: Float order: Order! = NEWEST limit: Int! flags: [[Boolean]] any: Anything }
`);

const DEFINITIONS = [
  '$v: Int',
  '$v: Int!',
  '$v: Int! = 3',
  '$v: [Int!]!',
  '$v: ID!',
  '$v: Float',
  '$v: String',
  '$v: Boolean!',
  '$v: Order!',
  '$v: Anything!',
  '$v: One',
  '$v: Where!',
  '$v: [Where]',
];

function operationWith(definition: string) {
  const node = getOperationAST(parse(`query (${definition}) { a }`));
  if (!node) throw new Error(`"${definition}" makes no operation`);
  return node;
}

const random = new Random(17);

const LEAVES: readonly (() => unknown)[] = [
  () => random.below(5),
  () => 2 ** 31,
  () => 1.5,
  () => Number.NaN,
  () => 'text',
  () => 'OLDEST',
  () => '',
  () => true,
  () => null,
  () => undefined,
];

/** Anything that JSON or a program may hold, objects of the shape of `Where` more often than not. */
function anyValue(depth: number): unknown {
  if (depth === 0 || random.below(3) === 0) return random.pick(LEAVES)();
  if (random.below(3) === 0) return Array.from({ length: random.below(3) }, () => anyValue(depth - 1));
  const entries: [string, unknown][] = [['limit', random.pick([3, 3, 3, null, 'text'])]];
  if (random.below(2) === 0) entries.push(['and', anyValue(depth - 1)]);
  if (random.below(2) === 0)
    entries.push(['order', random.pick<() => unknown>([() => 'NEWEST', () => 'NO', () => null, () => undefined])()]);
  if (random.below(3) === 0) entries.push(['flags', [[true, null], anyValue(1)]]);
  if (random.below(4) === 0)
    entries.push([random.pick(['eq', 'name', 'id', 'any', 'constructor', 'other']), anyValue(depth - 1)]);
  return Object.fromEntries(entries);
}

test.for(DEFINITIONS)('what is said to fit %s fits it by graphql-js too', (definition) => {
  const node = operationWith(definition);
  const fits = compileVariableCheck(SCHEMA, node);
  let fitting = 0;
  for (let round = 0; round < 3_000; round++) {
    const variables = random.below(20) === 0 ? {} : { v: anyValue(4), other: 1 };
    if (!fits(variables)) continue;
    fitting += 1;
    const { errors } = getVariableValues(SCHEMA, node.variableDefinitions ?? [], variables);
    expect(errors, JSON.stringify(variables)).toBeUndefined();
  }
  if (!definition.includes('Anything') && !definition.includes('One')) expect(fitting).toBeGreaterThan(30);
});

test.for<[string, Record<string, unknown>]>([
  ['$v: Where!', { v: { limit: 3, and: [{ limit: 1, order: 'OLDEST', flags: [[true]] }] } }],
  ['$v: [Int!]!', { v: [1, 2] }],
  ['$v: Int! = 3', {}],
  ['$v: ID!', { v: 'itm_1' }],
])('what is common fits %s at once', ([definition, variables]) => {
  expect(compileVariableCheck(SCHEMA, operationWith(definition))(variables)).toBe(true);
});
