import type { QueryPlanSelectionNode } from '@apollo/query-planner';
import { buildSchema } from 'graphql';
import { expect, test } from 'vitest';
import { compileRepresentation } from './representations.ts';
import { createTypeConditions } from './type-conditions.ts';

const types = createTypeConditions(
  buildSchema('type Query { item: Item } type Item { id: ID! } type User { id: ID! }'),
);
const field = (name: string): QueryPlanSelectionNode => ({ kind: 'Field', name });
const requires: QueryPlanSelectionNode[] = [
  { kind: 'InlineFragment', typeCondition: 'Item', selections: ['__typename', 'id'].map(field) },
];
const ofLeaves = compileRepresentation(requires, { types, rewrite: undefined });
const ofParts = compileRepresentation(requires, { types, rewrite: () => undefined });

test.for([
  'itm_1',
  '',
  'a "quoted" \\ one',
  'two\nlines',
  'é\u2028',
  '\ud800',
  7,
  -0.5,
  true,
  null,
  { deep: ['"'] },
  ['a'],
])('a key of %j is written as JSON.stringify writes it, at once or by its parts', (id) => {
  const entity = { title: 'not a key', id, __typename: 'Item' };
  const expected = JSON.stringify({ __typename: 'Item', id });
  expect(ofLeaves(entity)).toBe(expected);
  expect(ofParts(entity)).toBe(expected);
});

test.for([
  ['another type', { __typename: 'User', id: '1' }],
  ['no type', { id: '1' }],
  ['no key', { __typename: 'Item' }],
] as const)('an entity with %s is not represented', ([, entity]) => {
  expect(ofLeaves(entity)).toBeNull();
  expect(ofParts(entity)).toBeNull();
});
