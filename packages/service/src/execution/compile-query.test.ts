import { setTimeout as wait } from 'node:timers/promises';
import { Random } from '@kindred/testing/random';
import {
  buildSchema,
  execute,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
  type GraphQLScalarType,
  isObjectType,
  parse,
  responsePathAsArray,
  validate,
} from 'graphql';
import { expect, onTestFinished, test } from 'vitest';
import { compileQuery } from './compile-query.ts';
import { randomQuery } from './test-queries.ts';
import { createValues, fateOf } from './test-values.ts';

const SDL = /* GraphQL */ `
  scalar Anything
  enum Mood { GOOD BAD }
  input Filter { like: [String!], above: Float = 0.5 }
  interface Named { name: String!  friends(first: Int = 2): [Named]! }
  type Person implements Named {
    name: String!
    friends(first: Int = 2): [Named]!
    age: Int
    height: Float!
    isTall: Boolean
    mood: Mood
    id: ID!
    likes(filter: Filter, mood: Mood): [[Thing!]]
    best: Person!
    notes: [String]
    scores: [Int!]!
    extra: Anything
  }
  type Film implements Named {
    name: String!
    friends(first: Int = 2): [Named]!
    minutes: Int!
    stars: [Person!]!
    about: Thing
  }
  union Thing = Person | Film
  type Query {
    person(id: ID!): Person
    people(first: Int = 3): [Person!]!
    named: Named
    thing: Thing!
    things: [Thing]
    mood: Mood!
    notes: [String!]
  }
`;

/** Resolvers for some fields; what the others are is in their object. */
function createSchema(storm: number) {
  const schema = buildSchema(SDL);
  const { valueOf } = createValues(schema, storm);
  const types = Object.values(schema.getTypeMap()).filter(
    (type): type is GraphQLObjectType => isObjectType(type) && !type.name.startsWith('__'),
  );
  for (const type of types) {
    for (const field of Object.values(type.getFields())) {
      if (type.name !== 'Query' && fateOf(`${type.name}.${field.name} resolves`) < 700) continue;
      // oxlint-disable-next-line max-params -- graphql-js gives a resolver four
      field.resolve = (
        source: { key?: string } | undefined,
        args: object,
        context: string,
        info: GraphQLResolveInfo,
      ) => {
        const told = [
          field.name === info.fieldName,
          info.parentType.name,
          info.fieldNodes.length,
          info.operation.operation,
        ];
        const key = [source?.key, args, context, responsePathAsArray(info.path), told, info.variableValues];
        if (fateOf(`${JSON.stringify(key)} throws`) < storm / 2) throw new Error(`thrown ${JSON.stringify(key)}`);
        return valueOf(field.type, JSON.stringify(key));
      };
    }
  }
  return schema;
}

/** In whichever words it is said that a value is of no type. */
function textOf(answer: unknown): string {
  return JSON.stringify(answer).replaceAll(/"(?:Abstract type|Wanted a type)(?:[^"\\]|\\.)*"/g, '"no type"');
}

/** Of a list that has failed graphql-js leaves promises behind, whose failures nobody takes. */
function ignoreAbandoned(): void {
  const listeners = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection').on('unhandledRejection', () => undefined);
  onTestFinished(async () => {
    await wait(20);
    process.removeAllListeners('unhandledRejection');
    for (const listener of listeners) process.on('unhandledRejection', listener);
  });
}

const VARIABLES = { count: 2, needed: '7', mood: 'GOOD', filter: { like: ['x'] } };

test.for([
  ['calm', 0],
  ['with errors', 40],
  ['with many', 150],
] as const)('queries are answered byte for byte as by graphql-js: %s', { timeout: 60_000 }, async ([, storm]) => {
  ignoreAbandoned();
  const schema = createSchema(storm);
  let compared = 0;
  let failed = 0;
  for (let seed = 1; compared < 1_000; seed++) {
    const document = parse(randomQuery(schema, new Random(seed + storm * 100_000)));
    if (validate(schema, document).length > 0) continue;
    const executeQuery = compileQuery(schema, document);
    const wanted = await execute({ schema, document, variableValues: VARIABLES, contextValue: `request ${seed}` });
    const got = await executeQuery?.(VARIABLES, `request ${seed}`);
    expect(textOf(got), `seed ${seed}`).toBe(textOf(wanted));
    compared += 1;
    if (wanted.errors !== undefined) failed += 1;
  }
  if (storm === 0) expect(failed).toBe(0);
  else expect(failed).toBeGreaterThan(200);
});

const schema = createSchema(0);
const answerTo = async (query: string, variables: Record<string, unknown> = {}) => {
  const document = parse(query);
  const wanted = await execute({ schema, document, variableValues: variables, contextValue: 'a request' });
  return { wanted, got: await compileQuery(schema, document)?.(variables, 'a request') };
};

test('variables that do not fit are told as graphql-js tells them, and nothing is run', async () => {
  const { wanted, got } = await answerTo(
    'query($needed: ID!, $mood: Mood) { person(id: $needed) { likes(mood: $mood) { __typename } } }',
    {
      mood: 'WORSE',
    },
  );
  expect(JSON.stringify(got)).toBe(JSON.stringify(wanted));
  expect(got?.errors).toHaveLength(2);
  expect(got).not.toHaveProperty('data');
});

test.for<[string, string]>([
  ['a mutation', 'mutation { write }'],
  ['introspection', '{ __schema { queryType { name } } }'],
  ['a directive', 'query($deep: Boolean!) { person(id: 1) { name @include(if: $deep) } }'],
  ['several operations', 'query A { mood } query B { mood }'],
])('%s is left to graphql-js', ([, query]) => {
  const withMutation = buildSchema(`${SDL} type Mutation { write: Int }`);
  expect(compileQuery(withMutation, parse(query))).toBeUndefined();
});

test('so is a schema whose types are asked for their values', () => {
  const asked = createSchema(0);
  const person = asked.getType('Person') as GraphQLObjectType;
  person.isTypeOf = () => true;
  expect(compileQuery(asked, parse('{ mood }'))).toBeUndefined();
});

test.for([
  ['no list where one is wanted', 7, '[Int]', 'Wanted a list for Query.field, got number.'],
  ['a type that there is not', { __typename: 'Nobody' }, 'Node', 'Wanted a type of Node for Query.field, got Nobody.'],
  ['no type', {}, 'Node', 'Wanted a type of Node for Query.field, got undefined.'],
  ['a type that is none of it', { __typename: 'Other' }, 'Node', 'Wanted a type of Node for Query.field, got Other.'],
] as const)('%s is an error of its field', async ([, value, type, message]) => {
  const odd = buildSchema(`
    interface Node { id: ID }
    type Item implements Node { id: ID }
    type Other { id: ID }
    type Query { field: ${type} other: Other }
  `);
  const { field } = odd.getQueryType()?.getFields() ?? {};
  if (field !== undefined) field.resolve = () => value;
  const answer = await compileQuery(
    odd,
    parse(type === 'Node' ? '{ field { id } other { id } }' : '{ field other { id } }'),
  )?.({}, null);
  expect(answer?.data).toEqual({ field: null, other: null });
  expect(answer?.errors).toMatchObject([{ message, path: ['field'] }]);
});

test('a scalar that makes nothing of a value is an error of its field', async () => {
  const odd = buildSchema('scalar Nothing type Query { field: Nothing }');
  (odd.getType('Nothing') as GraphQLScalarType).serialize = () => undefined;
  const { field } = odd.getQueryType()?.getFields() ?? {};
  if (field !== undefined) field.resolve = () => 7;
  const answer = await compileQuery(odd, parse('{ field }'))?.({}, null);
  expect(answer?.data).toEqual({ field: null });
  const message = 'Wanted a value of Nothing, got undefined from its serialize';
  expect(answer?.errors).toMatchObject([{ message, path: ['field'] }]);
});

test('a list that fails leaves no promise behind that nobody waits for', async () => {
  const failing = buildSchema('type Query { field: [Int!] }');
  const { field } = failing.getQueryType()?.getFields() ?? {};
  const late = new Promise((_resolve, reject) => setTimeout(() => reject(new Error('late')), 5));
  if (field !== undefined) field.resolve = () => [late, new Error('at once')];
  const unhandled: unknown[] = [];
  const note = (error: unknown) => void unhandled.push(error);
  process.on('unhandledRejection', note);
  onTestFinished(() => void process.off('unhandledRejection', note));
  const answer = await compileQuery(failing, parse('{ field }'))?.({}, null);
  expect(answer?.errors?.map(({ message }) => message)).toEqual(['at once']);
  await wait(20);
  expect(unhandled).toEqual([]);
});
