import type { QueryPlanSelectionNode } from '@apollo/query-planner';
import { buildSchema } from 'graphql';
import { expect, test } from 'vitest';
import type { JsonObject } from './json.ts';
import { createRepresentations, type Representation } from './representations.ts';
import { createTypeConditions } from './type-conditions.ts';

const types = createTypeConditions(
  buildSchema(`
    type Query { item: Item }
    interface Named { id: ID! }
    type Item implements Named { id: ID! sku: ID }
    type Film implements Named { id: ID! }
    type User { id: ID! }
  `),
);
const representations = createRepresentations(types);

function requiring(typeCondition: string, names: readonly string[]): QueryPlanSelectionNode[] {
  const selections = names.map((name): QueryPlanSelectionNode => ({ kind: 'Field', name }));
  return [{ kind: 'InlineFragment', typeCondition, selections }];
}

const byId = representations.of(requiring('Item', ['__typename', 'id']), undefined);
const bySku = representations.of(requiring('Item', ['__typename', 'id', 'sku']), undefined);
const byName = representations.of(requiring('Named', ['__typename', 'id']), undefined);
const byParts = representations.of(requiring('Item', ['__typename', 'id']), () => undefined);

function textOf({ keyOf, write }: Representation, entity: JsonObject): string | null {
  const key = keyOf(entity);
  return key === null ? null : write(key);
}

const VALUES = [
  'itm_1',
  '',
  'a "quoted" \\ one',
  'two\nlines',
  'é\u2028',
  '\ud800',
  '7',
  '"7"',
  '\0',
  '\x007',
  '\0"itm_1"',
  7,
  -0.5,
  true,
  'true',
  null,
  'null',
  { deep: ['"'] },
  ['a'],
];

test.for(VALUES)('a key of %j is written as JSON.stringify writes it, whatever tells entities apart', (id) => {
  const entity = { title: 'not a key', sku: 's', id, __typename: 'Item' };
  for (const representation of [byId, byParts, byName]) {
    expect(textOf(representation, entity)).toBe(JSON.stringify({ __typename: 'Item', id }));
  }
  expect(textOf(bySku, entity)).toBe(JSON.stringify({ __typename: 'Item', id, sku: 's' }));
});

test('no two values are taken for one another', () => {
  for (const representation of [byId, bySku, byName, byParts]) {
    const keys = VALUES.map((id) => representation.keyOf({ __typename: 'Item', id, sku: 's' }));
    expect(new Set(keys).size).toBe(VALUES.length);
  }
  expect(byName.keyOf({ __typename: 'Item', id: '1' })).not.toBe(byName.keyOf({ __typename: 'Film', id: '1' }));
});

test.for([
  ['another type', { __typename: 'User', id: '1' }],
  ['no type', { id: '1' }],
  ['no key', { __typename: 'Item' }],
] as const)('an entity with %s is not represented', ([, entity]) => {
  for (const representation of [byId, bySku, byName, byParts]) expect(representation.keyOf(entity)).toBeNull();
});

test('fetches that require the same share a representation, and with it their requests; others never do', () => {
  expect(representations.of(requiring('Item', ['__typename', 'id']), undefined)).toBe(byId);
  expect(representations.of(requiring('Item', ['__typename', 'sku']), undefined)).not.toBe(byId);
  expect(representations.of(requiring('Item', ['__typename', 'id']), () => undefined)).not.toBe(byParts);
});
