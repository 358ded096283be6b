import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { buildSchema, type DocumentNode, Kind, parse, validate } from 'graphql';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('.', import.meta.url));
const schema = buildSchema(readFileSync(`${root}../gateway/api.graphql`, 'utf8'));

/** Every document that stands in a `graphql(...)` template of the dashboard. */
function documentsOfTheDashboard(): { file: string; document: DocumentNode }[] {
  const files = globSync('{app,features}/**/*.tsx', { cwd: root });
  return files.flatMap((file) => {
    const text = readFileSync(`${root}${file}`, 'utf8');
    return [...text.matchAll(/graphql\(`([^`]*)`\)/g)].map((match) => ({ file, document: parse(match[1] ?? '') }));
  });
}

it('asks only for what the published schema holds', () => {
  const definitions = documentsOfTheDashboard().flatMap(({ document }) => document.definitions);
  expect(definitions.length).toBeGreaterThan(20);
  expect(validate(schema, { kind: Kind.DOCUMENT, definitions })).toEqual([]);
});

it('names every operation and fragment once', () => {
  const names = documentsOfTheDashboard().flatMap(({ document }) =>
    document.definitions.map((definition) => ('name' in definition ? definition.name?.value : undefined)),
  );
  expect(names).not.toContain(undefined);
  expect(new Set(names).size).toBe(names.length);
});
