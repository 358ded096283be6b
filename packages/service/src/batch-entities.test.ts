import { buildSubgraphSchema } from '@apollo/subgraph';
import { graphql, parse } from 'graphql';
import { expect, test } from 'vitest';
import { batchEntities, type EntityReference, type FindEntities } from './batch-entities.ts';

const TYPE_DEFS = parse(`
  extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key"])
  type Query { nothing: Boolean }
  type Book @key(fields: "id") { id: ID! title: String }
  type Shelf @key(fields: "id") { id: ID! title: String }
`);
const QUERY = `query ($representations: [_Any!]!) {
  _entities(representations: $representations) { __typename ... on Book { title } ... on Shelf { title } }
}`;

type Reference = EntityReference & { id: string };

const SHARED = new Map(['1', '2'].map((id) => [id, Object.freeze({ __typename: 'Book', id, title: `Book ${id}` })]));

/** Books are found by the list, shelves one by one; `calls` says how. */
function createLibrary(find: FindEntities<Reference, object>) {
  const calls: string[] = [];
  const one =
    (name: string) =>
    async ({ id }: { id: string }) => {
      calls.push(`${name} ${id}`);
      return { id, title: `${name} ${id}` };
    };
  const resolvers = { Book: { __resolveReference: one('Book') }, Shelf: { __resolveReference: one('Shelf') } };
  const schema = buildSubgraphSchema([{ typeDefs: TYPE_DEFS, resolvers }]);
  batchEntities(schema, {
    Book: async (references: readonly Reference[], context: object) => {
      calls.push(`Books ${references.map(({ id }) => id).join(' ')}`);
      return await find(references, context);
    },
  });
  const ask = (...representations: Reference[]) =>
    graphql({ schema, source: QUERY, variableValues: { representations }, contextValue: {} });
  return { ask, calls };
}

const book = (id: string): Reference => ({ __typename: 'Book', id });
const shelf = (id: string): Reference => ({ __typename: 'Shelf', id });
const fromShared: FindEntities<Reference, object> = async (references) =>
  references.map(({ id }) => SHARED.get(id) ?? null);

test('a list of one type is one call, answered in its order, with null for what is not there', async () => {
  const { ask, calls } = createLibrary(fromShared);
  const { data, errors } = await ask(book('2'), book('9'), book('1'), book('2'));
  expect(errors).toBeUndefined();
  const titled = (title: string) => ({ __typename: 'Book', title });
  expect(data).toEqual({ _entities: [titled('Book 2'), null, titled('Book 1'), titled('Book 2')] });
  expect(calls).toEqual(['Books 2 9 1 2']);
});

test('a type without a finder, and a list of several types, are resolved one by one', async () => {
  const { ask, calls } = createLibrary(fromShared);
  expect((await ask(shelf('1'))).data).toEqual({ _entities: [{ __typename: 'Shelf', title: 'Shelf 1' }] });
  expect((await ask(book('1'), shelf('2'))).errors).toBeUndefined();
  expect(calls).toEqual(['Shelf 1', 'Book 1', 'Shelf 2']);
});

test('an error is the error of its place; when the whole look-up fails, of every place', async () => {
  const wrong = createLibrary(async () => [Object.assign({}, SHARED.get('1')), new Error('no such id')]);
  const { data, errors } = await wrong.ask(book('1'), book('x'));
  expect(data).toEqual({ _entities: [{ __typename: 'Book', title: 'Book 1' }, null] });
  expect(errors).toMatchObject([{ message: 'no such id', path: ['_entities', 1] }]);
  const failing = await createLibrary(() => Promise.reject(new Error('away'))).ask(book('1'), book('2'));
  expect(failing.data).toEqual({ _entities: [null, null] });
  expect(failing.errors).toMatchObject([{ path: ['_entities', 0] }, { path: ['_entities', 1] }]);
});

test('what is found is marked with its type once, and may be shared by requests', async () => {
  const kept = { id: '1', title: 'Kept' };
  const { ask } = createLibrary(async () => [kept]);
  for (let request = 0; request < 2; request++)
    expect((await ask(book('1'))).data).toEqual({ _entities: [{ __typename: 'Book', title: 'Kept' }] });
  expect(Object.keys(kept)).toEqual(['id', 'title']);
});
