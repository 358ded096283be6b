import { buildSchema, parse, validate } from 'graphql';
import { expect, it } from 'vitest';
import { curlCommand, runnableQuery } from './query-text.ts';

const DOCUMENT = parse(`query Recommend($input: RecommendInput!, $first: Int!) {
  recommend(input: $input, first: $first) { __typename id }
}`);
const SCHEMA = buildSchema(`
  input UserRef { externalId: String sessionItems: [String!] }
  input RecommendInput { user: UserRef explain: Boolean }
  type Answer { id: ID }
  type Query { recommend(input: RecommendInput!, first: Int!): Answer }
`);

it('writes the variables in, so that the text runs without any', () => {
  const text = runnableQuery(DOCUMENT, {
    input: { user: { sessionItems: ['a "quoted" id', '2'] }, explain: true },
    first: 10,
  });
  expect(validate(SCHEMA, parse(text))).toEqual([]);
  expect(text).not.toContain('$');
  expect(text).not.toContain('__typename');
  expect(text).toContain(String.raw`"a \"quoted\" id"`);
});

it('quotes the request for the shell', () => {
  expect(curlCommand('http://localhost:4001', `{ user(externalId: "O'Hara") { id } }`)).toContain(
    String.raw`O'\''Hara`,
  );
});
