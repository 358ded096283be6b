import { createHash } from 'node:crypto';
import type { Viewer } from '@kindred/domain/viewer';
import { scopesOfApiKeyKind, scopesOfRole } from '@kindred/domain/viewer';
import { newId } from '@kindred/domain/ids';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestSubgraph, signUpTenant, type TestSubgraph } from './test-subgraph.ts';

const DOCUMENT = 'query Shelf {\n  viewer { scopes }\n}';
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const DIGEST = sha256(DOCUMENT);
const PUBLISH = `mutation ($documents: [String!]!) {
  publishDocuments(input: { documents: $documents }) { documentIds userErrors { code message path } } }`;
const FIND = 'query ($digest: String!) { publishedDocument(digest: $digest) }';

interface Published {
  publishDocuments: { documentIds: string[] | null; userErrors: { code: string; path: string[] }[] };
}

let subgraph: TestSubgraph;
let ours: Viewer;
let theirs: Viewer;
beforeAll(async () => {
  subgraph = await createTestSubgraph();
  ours = (await signUpTenant(subgraph)).viewer;
  theirs = (await signUpTenant(subgraph)).viewer;
});
afterAll(async () => {
  await subgraph[Symbol.asyncDispose]();
});

const publish = async (viewer: Viewer, documents: readonly string[]) =>
  (await subgraph.read<Published>(viewer, PUBLISH, { documents })).publishDocuments;
const find = async (viewer: Viewer, digest: string) =>
  (await subgraph.read<{ publishedDocument: string | null }>(viewer, FIND, { digest })).publishedDocument;

test('a document is found by its text and its content, by its tenant alone', async () => {
  expect(await publish(ours, [DOCUMENT])).toEqual({ documentIds: [`sha256:${DIGEST}`], userErrors: [] });
  for (const digest of [DIGEST, sha256('query Shelf{viewer{scopes}}')]) {
    expect(await find(ours, digest)).toBe(DOCUMENT);
    expect(await find(theirs, digest)).toBeNull();
  }
  expect(await find(ours, 'nonsense')).toBeNull();
});

test('an administrator and a secret key publish, a member and a publishable key do not', async () => {
  if (!('tenantId' in ours) || ours.kind !== 'account') throw new Error(`Wanted an account, got ${ours.kind}`);
  const key = { kind: 'apiKey', apiKeyId: newId('ApiKey'), tenantId: ours.tenantId } as const;
  const may = [
    { ...ours, role: 'ADMIN', scopes: scopesOfRole('ADMIN') } as const,
    { ...key, scopes: scopesOfApiKeyKind('SECRET') },
  ];
  for (const viewer of may) expect((await publish(viewer, [DOCUMENT])).userErrors).toEqual([]);
  const mayNot = [
    { ...ours, role: 'MEMBER', scopes: scopesOfRole('MEMBER') } as const,
    { ...key, scopes: scopesOfApiKeyKind('PUBLISHABLE') },
  ];
  for (const viewer of mayNot) await expect(publish(viewer, [DOCUMENT])).rejects.toThrow(/FORBIDDEN|scope/);
});

test('what cannot be a document is named, and nothing is published', async () => {
  const other = '{ tenant { name } }';
  expect(await publish(ours, [other, '', '"', 'x'.repeat(32_769)])).toMatchObject({
    documentIds: null,
    userErrors: ['1', '2', '3'].map((index) => ({ code: 'INVALID', path: ['documents', index] })),
  });
  expect((await publish(ours, [])).userErrors).toMatchObject([{ code: 'INVALID', path: ['documents'] }]);
  expect(await find(ours, sha256(other))).toBeNull();
});
