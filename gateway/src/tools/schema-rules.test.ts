import { readFile } from 'node:fs/promises';
import { buildSchema, findBreakingChanges } from 'graphql';
import { expect, test } from 'vitest';
import { findRuleViolations } from './schema-rules.ts';

const read = async (name: string) => buildSchema(await readFile(new URL(`../../${name}`, import.meta.url), 'utf8'));

test('the API keeps its conventions', async () => {
  expect(findRuleViolations(await read('api.graphql'))).toEqual([]);
});

test('nothing breaks clients of the last released schema', async () => {
  const changes = findBreakingChanges(await read('released.graphql'), await read('api.graphql'));
  expect(changes.map(({ description }) => description)).toEqual([]);
});

const FRAME = `
  "a" interface Node { "a" id: ID! }
  "a" type PageInfo { "a" hasNextPage: Boolean! }
  "a" type UserError { "a" code: String! }
  type Query { "a" a: Int }`;

test.for([
  ['a type without a description', 'type A { "a" a: Int }', 'A: wanted a description'],
  ['a field without one', '"a" type A { a: Int }', 'A.a: wanted a description'],
  ['an argument without one', '"a" type A { "a" a(b: Int): Int }', 'A.a(b:): wanted a description'],
  ['an enum value without one', '"a" enum A { B }', 'A.B: wanted a description'],
  ['an input field without one', '"a" input A { b: Int }', 'A.b: wanted a description'],
  [
    'a list that can grow',
    '"a" type A { "a" b: [B!]! } "a" type B { "a" c: Int }',
    'A.b: wanted a connection, since a list of B can grow',
  ],
  [
    'a connection that counts all',
    '"a" type BConnection { "a" edges: [BEdge!]! "a" pageInfo: PageInfo! "a" totalCount: Int } "a" type BEdge { "a" cursor: String! "a" node: B! } "a" type B { "a" c: Int }',
    'BConnection.totalCount: wanted no count of all, which costs a scan',
  ],
  [
    'a connection without a length',
    '"a" type A { "a" b: BConnection! } "a" type BConnection { "a" edges: [BEdge!]! "a" pageInfo: PageInfo! } "a" type BEdge { "a" cursor: String! "a" node: B! } "a" type B { "a" c: Int }',
    'A.b: wanted first: Int!, as of every connection',
  ],
  [
    'a mutation of loose arguments',
    'type Mutation { "a" makeA("a" b: Int): MakeAPayload! } "a" type MakeAPayload { "a" userErrors: [UserError!]! }',
    'Mutation.makeA: wanted input: MakeAInput!, got b: Int',
  ],
  [
    'a mutation that only throws',
    'type Mutation { "a" makeA("a" input: MakeAInput!): MakeAPayload! } "a" type MakeAPayload { "a" b: Int } "a" input MakeAInput { "a" b: Int }',
    'Mutation.makeA: wanted userErrors: [UserError!]! in its payload',
  ],
  [
    'a subscription that cannot be resumed',
    'type Subscription { "a" ticks: Tick! } "a" type Tick { "a" sequence: Int! }',
    'Subscription.ticks: wanted afterSequence, to resume by',
  ],
  [
    'a deprecation without a date',
    '"a" type A { "a" b: Int @deprecated(reason: "old") }',
    'A.b: wanted the date from when it is deprecated',
  ],
] as const)('%s is found', ([, sdl, violation]) => {
  expect(findRuleViolations(buildSchema(`${FRAME} ${sdl}`))).toEqual([violation]);
});

test.for([
  ['a field that went', 'type Query { b: Int }'],
  ['an argument that became required', 'type Query { a(c: Int!): Int b: Int }'],
  ['a type that changed', 'type Query { a: String b: Int }'],
] as const)('%s breaks clients', ([, sdl]) => {
  expect(findBreakingChanges(buildSchema('type Query { a(c: Int): Int b: Int }'), buildSchema(sdl))).not.toEqual([]);
});
