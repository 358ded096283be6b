import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { composeSupergraph } from './compose-supergraph.ts';

const committed = (name: string) => readFile(new URL(`../../${name}`, import.meta.url), 'utf8');

test('composing the subgraph schemas again leaves the committed supergraph unchanged', async () => {
  expect((await composeSupergraph()).supergraphSdl).toBe(await committed('supergraph.graphql'));
});

test('composing the subgraph schemas again leaves the committed API schema unchanged', async () => {
  expect((await composeSupergraph()).apiSdl).toBe(await committed('api.graphql'));
});

test('the API schema hides what is inaccessible and how the graph is joined', async () => {
  const { apiSdl } = await composeSupergraph();
  expect(apiSdl).not.toMatch(/authenticateApiKey|ApiKeyCredentials|join__|requiresScopes/);
});
