import { createHash } from 'node:crypto';
import { newId } from '@kindred/domain/ids';
import type { Viewer } from '@kindred/domain/viewer';
import { scopesOfApiKeyKind, scopesOfRole } from '@kindred/domain/viewer';
import { afterAll, beforeEach, beforeAll, expect, test } from 'vitest';
import { createTestSubgraph, signUpTenant, type TestSubgraph } from './test-subgraph.ts';

const PUBLISH = `mutation ($documents: [String!]!) {
  publishDocuments(input: { documents: $documents }) { documentIds userErrors { message } } }`;
const WITHDRAW = `mutation ($input: WithdrawDocumentsInput!) {
  withdrawDocuments(input: $input) { withdrawnDocumentIds userErrors { code message path } } }`;
const FIND = 'query ($digest: String!) { publishedDocument(digest: $digest) }';
const LIST = `query ($first: Int! = 10, $after: String, $namePrefix: String) {
  tenant { publishedDocuments(first: $first, after: $after, namePrefix: $namePrefix) {
    edges { cursor node { documentId name text publishedAt publishedBy { id displayName } publishedByKey { id name } } }
    pageInfo { hasNextPage endCursor } } } }`;
const LOG = '{ tenant { auditEvents(first: 1) { edges { node { action details } } } } }';

interface Listed {
  tenant: {
    publishedDocuments: {
      edges: { node: { documentId: string; name: string | null; text: string; publishedBy: object | null } }[];
      pageInfo: { hasNextPage: boolean; endCursor: string | null };
    };
  };
}
interface Withdrawn {
  withdrawDocuments: {
    withdrawnDocumentIds: string[] | null;
    userErrors: { code: string; message: string; path: string[] }[];
  };
}

const named = (name: string) => `query ${name} { viewer { scopes } }`;
const idOf = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`;

let subgraph: TestSubgraph;
let ours: Viewer;
let theirs: Viewer;
beforeAll(async () => {
  subgraph = await createTestSubgraph();
});
beforeEach(async () => {
  ours = (await signUpTenant(subgraph)).viewer;
  theirs = (await signUpTenant(subgraph)).viewer;
});
afterAll(async () => {
  await subgraph[Symbol.asyncDispose]();
});

const publish = (viewer: Viewer, ...documents: string[]) => subgraph.read(viewer, PUBLISH, { documents });
const list = async (viewer: Viewer, args: object = {}) =>
  (await subgraph.read<Listed>(viewer, LIST, args)).tenant.publishedDocuments;
const namesOf = async (viewer: Viewer, args: object = {}) =>
  (await list(viewer, args)).edges.map(({ node }) => node.name);
const withdraw = async (viewer: Viewer, input: { documentIds: string[]; idempotencyKey?: string }) =>
  (await subgraph.read<Withdrawn>(viewer, WITHDRAW, { input })).withdrawDocuments;
const isFound = async (viewer: Viewer, documentId: string) => {
  const digest = documentId.slice('sha256:'.length);
  return (
    (await subgraph.read<{ publishedDocument: string | null }>(viewer, FIND, { digest })).publishedDocument !== null
  );
};

test('a tenant reads what it published, with its name, text, time and publisher, and nothing of another', async () => {
  await publish(ours, `fragment F on Viewer { scopes } ${named('Shelf')}`);
  await publish(ours, '{ viewer { scopes } }');
  await publish(theirs, named('Theirs'));
  const { edges } = await list(ours);
  expect(edges.map(({ node }) => node)).toMatchObject([
    { name: null, text: '{ viewer { scopes } }', documentId: idOf('{ viewer { scopes } }') },
    { name: 'Shelf', publishedBy: { displayName: 'Ann' }, publishedByKey: null, publishedAt: expect.any(String) },
  ]);
  expect(await namesOf(theirs)).toEqual(['Theirs']);
});

test('pages go on behind a document that was withdrawn meanwhile, and names are found by how they begin', async () => {
  for (const name of ['A_1', 'A2', 'A3', 'B']) await publish(ours, named(name));
  const page = await list(ours, { first: 2, namePrefix: 'A' });
  expect(page.edges.map(({ node }) => node.name)).toEqual(['A3', 'A2']);
  expect(page.pageInfo.hasNextPage).toBe(true);
  await withdraw(ours, { documentIds: [idOf(named('A2'))] });
  const after = page.pageInfo.endCursor;
  expect(await namesOf(ours, { first: 2, namePrefix: 'A', after })).toEqual(['A_1']);
  expect(await namesOf(theirs, { after })).toEqual([]);
  expect(await namesOf(ours, { namePrefix: 'A_' })).toEqual(['A_1']);
  await expect(list(ours, { after: Buffer.from('5 nonsense').toString('base64url') })).rejects.toThrow(/cursor/);
});

test('what is withdrawn is found no more, in its tenant alone, and the audit log tells it', async () => {
  const [one, other] = [named('One'), named('Other')];
  for (const viewer of [ours, theirs]) await publish(viewer, one, other);
  const documentIds = [one, other].map(idOf);
  expect(await withdraw(ours, { documentIds: [...documentIds, idOf(one)] })).toEqual({
    withdrawnDocumentIds: documentIds,
    userErrors: [],
  });
  for (const documentId of documentIds) {
    expect(await isFound(ours, documentId)).toBe(false);
    expect(await isFound(theirs, documentId)).toBe(true);
  }
  const { tenant } = await subgraph.read<{ tenant: { auditEvents: { edges: { node: object }[] } } }>(ours, LOG);
  expect(tenant.auditEvents.edges[0]?.node).toEqual({
    action: 'withdrawDocuments',
    details: JSON.stringify({ documentIds }),
  });
});

test('nothing is withdrawn where one is not the tenant’s, or is no id', async () => {
  await publish(ours, named('Ours'));
  await publish(theirs, named('Theirs'));
  const mixed = await withdraw(ours, { documentIds: [named('Ours'), named('Theirs')].map(idOf) });
  expect(mixed).toMatchObject({
    withdrawnDocumentIds: null,
    userErrors: [{ code: 'NOT_FOUND', path: ['documentIds', '1'] }],
  });
  expect(await withdraw(ours, { documentIds: [idOf(named('Ours')), 'sha256:1'] })).toMatchObject({
    userErrors: [{ code: 'INVALID', path: ['documentIds', '1'] }],
  });
  expect(await withdraw(ours, { documentIds: [] })).toMatchObject({ userErrors: [{ path: ['documentIds'] }] });
  expect([await namesOf(ours), await namesOf(theirs)]).toEqual([['Ours'], ['Theirs']]);
});

test('a repeated call has one effect, also at the same time', async () => {
  await publish(ours, named('Once'));
  const input = { documentIds: [idOf(named('Once'))], idempotencyKey: 'withdraw once' };
  const answers = await Promise.all(Array.from({ length: 8 }, () => withdraw(ours, input)));
  for (const answer of answers) expect(answer).toEqual({ withdrawnDocumentIds: input.documentIds, userErrors: [] });
  await publish(ours, named('Once'));
  expect(await withdraw(ours, input)).toMatchObject({ userErrors: [] });
  expect(await namesOf(ours)).toEqual(['Once']);
});

test('an administrator and a secret key list and withdraw, a member and a publishable key do neither', async () => {
  if (!('tenantId' in ours) || ours.kind !== 'account') throw new Error(`Wanted an account, got ${ours.kind}`);
  const key = { kind: 'apiKey', apiKeyId: newId('ApiKey'), tenantId: ours.tenantId } as const;
  const shortList = '{ tenant { publishedDocuments(first: 1) { edges { node { name } } } } }';
  for (const viewer of [
    { ...ours, role: 'ADMIN', scopes: scopesOfRole('ADMIN') } as const,
    { ...key, scopes: scopesOfApiKeyKind('SECRET') },
  ]) {
    await publish(viewer, named('Kept'));
    expect(await subgraph.read(viewer, shortList)).toMatchObject({
      tenant: { publishedDocuments: { edges: [{ node: { name: 'Kept' } }] } },
    });
    expect((await withdraw(viewer, { documentIds: [idOf(named('Kept'))] })).userErrors).toEqual([]);
  }
  await publish(ours, named('Kept'));
  for (const viewer of [
    { ...ours, role: 'MEMBER', scopes: scopesOfRole('MEMBER') } as const,
    { ...key, scopes: scopesOfApiKeyKind('PUBLISHABLE') },
  ]) {
    await expect(withdraw(viewer, { documentIds: [idOf(named('Kept'))] })).rejects.toThrow(/FORBIDDEN|scope/);
    await expect(subgraph.read(viewer, shortList)).rejects.toThrow(/FORBIDDEN|scope/);
  }
  expect(await namesOf(ours)).toEqual(['Kept']);
});
