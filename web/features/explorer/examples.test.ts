import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { buildSchema, getVariableValues, Kind, parse, validate } from 'graphql';
import { expect, it } from 'vitest';
import { examplesFor } from './examples.ts';

const SDL = readFileSync(fileURLToPath(new URL('../../../gateway/api.graphql', import.meta.url)), 'utf8');
const schema = buildSchema(SDL);
const OWN = { userExternalId: 'ann', item: { id: 'Item:1', externalId: 'boots' }, runId: 'TrainingRun:1' };
const NOTHING = { userExternalId: undefined, item: undefined, runId: undefined };

function problemsOf({ query, variables }: { query: string; variables: string }): string[] {
  const document = parse(query);
  const given = document.definitions.flatMap((node) => ('variableDefinitions' in node ? node.variableDefinitions : []));
  const definitions = given.filter((node) => node?.kind === Kind.VARIABLE_DEFINITION);
  const { errors = [] } = getVariableValues(schema, definitions, JSON.parse(variables) as Record<string, unknown>);
  return [...validate(schema, document), ...errors].map(({ message }) => message);
}

it.each([
  ['what the tenant has', OWN],
  ['a tenant that has nothing yet', NOTHING],
])('gives examples that the schema takes, variables included, of %s', (_name, ids) => {
  expect(examplesFor(ids).flatMap(problemsOf)).toEqual([]);
});

it('begins each of the ways into the API, filled with what the tenant has', () => {
  const examples = examplesFor(OWN);
  const fields = examples.map(({ query }) => /\) \{\n {2}(\w+)/.exec(query)?.[1]);
  expect(fields).toEqual([
    'recommend',
    'similarItems',
    'trainingProgress',
    'upsertItems',
    'recordInteractions',
    'usage',
  ]);
  const variables = examples.map((example) => example.variables).join();
  for (const own of ['ann', 'Item:1', 'boots', 'TrainingRun:1']) expect(variables).toContain(`"${own}"`);
});
