import { findJobs } from '@kindred/db/jobs';
import { addImportErrors } from '@kindred/db/import-errors';
import { withTenant } from '@kindred/db/tenants';
import { decodeGlobalId, newId, encodeGlobalId, type TenantId } from '@kindred/domain/ids';
import { type JobEventBody, jobTopic } from '@kindred/domain/jobs';
import type { Viewer } from '@kindred/domain/viewer';
import { INTERNAL_TOKEN_HEADER, signInternalToken } from '@kindred/service/internal-token';
import { INTERNAL_TOKEN_SECRET } from '@kindred/testing/subgraph-client';
import { createTestTenant } from '@kindred/testing/test-tenant';
import { appendJobEvent, finishJob } from '@kindred/db/jobs';
import { IMPORT_DATA, jobWorkflowId } from '@kindred/workflows/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestCatalog, type TestCatalog } from './test-catalog.ts';

let catalog: TestCatalog;

beforeAll(async () => {
  catalog = await createTestCatalog();
}, 120_000);

afterAll(async () => {
  await catalog[Symbol.asyncDispose]();
});

const START = `mutation ($input: StartImportInput!) {
  startImport(input: $input) { import { id status kind format errorPolicy phase rowCount sizeBytes } userErrors { code message path } }
}`;
const CANCEL = `mutation ($input: CancelImportInput!) {
  cancelImport(input: $input) { import { status } userErrors { code message path } }
}`;

interface Payload {
  import: { id: string; status: string } | null;
  userErrors: { code: string; message: string; path: string[] }[];
}

/** Asks a file route as the gateway does. */
function send(viewer: Viewer, path: string, body?: string) {
  const method = body === undefined ? 'GET' : 'POST';
  const signed = { audience: 'catalog', viewer, body: `${method} ${path}` };
  const headers = { [INTERNAL_TOKEN_HEADER]: signInternalToken(INTERNAL_TOKEN_SECRET, signed) };
  return fetch(`${catalog.url}${path}`, { method, headers, ...(body === undefined ? {} : { body }) });
}

async function upload(viewer: Viewer, content = '{}'): Promise<string> {
  const response = await send(viewer, '/files/uploads', content);
  expect(response.status).toBe(201);
  return ((await response.json()) as { uploadId: string }).uploadId;
}

async function start(viewer: Viewer, input: object): Promise<Payload> {
  const defaults = { kind: 'ITEMS', format: 'JSONL' };
  const { startImport } = await catalog.read<{ startImport: Payload }>(viewer, START, {
    input: { ...defaults, ...input },
  });
  return startImport;
}

async function startOne(viewer: Viewer): Promise<string> {
  const payload = await start(viewer, { uploadId: await upload(viewer) });
  return payload.import?.id ?? expect.fail();
}

async function finish(tenantId: TenantId, importId: string): Promise<void> {
  const id = decodeGlobalId('Import', importId);
  const body = { kind: 'FINISHED', status: 'SUCCEEDED', message: 'Imported.' } as const;
  await withTenant(catalog.db, tenantId, (tx) => finishJob(tx, { id, status: 'SUCCEEDED', failure: null }));
  await tell(tenantId, importId, body);
}

async function tell(tenantId: TenantId, importId: string, body: JobEventBody): Promise<void> {
  const jobId = decodeGlobalId('Import', importId);
  const event = await withTenant(catalog.db, tenantId, (tx) =>
    appendJobEvent(tx, { jobId, dedupeKey: JSON.stringify(body), at: Date.now(), body }),
  );
  await catalog.events.publish(jobTopic(tenantId, jobId), JSON.stringify(event));
}

test('an uploaded file is imported by a workflow of its own, once for a key', async () => {
  const { viewer, tenantId } = await createTestTenant(catalog.db);
  const input = { uploadId: await upload(viewer), errorPolicy: 'IGNORE_FAILED', idempotencyKey: 'once' };
  const answers = await Promise.all(Array.from({ length: 5 }, () => start(viewer, input)));
  const ids = new Set(answers.map((answer) => answer.import?.id));
  expect(ids.size).toBe(1);
  expect(answers[0]).toEqual({
    import: {
      id: [...ids][0],
      status: 'QUEUED',
      kind: 'ITEMS',
      format: 'JSONL',
      errorPolicy: 'IGNORE_FAILED',
      phase: null,
      rowCount: 0,
      sizeBytes: null,
    },
    userErrors: [],
  });
  const jobId = decodeGlobalId('Import', [...ids][0] ?? '');
  const description = await catalog.temporal.workflow.getHandle(jobWorkflowId({ tenantId, jobId })).describe();
  expect(description).toMatchObject({ type: IMPORT_DATA, status: { name: 'RUNNING' } });
});

test('an upload of another tenant cannot be imported, nor one that was never sent', async () => {
  const ours = await createTestTenant(catalog.db);
  const theirs = await createTestTenant(catalog.db);
  const foreign = await start(ours.viewer, { uploadId: await upload(theirs.viewer) });
  const missing = await start(ours.viewer, { uploadId: encodeGlobalId('Upload', newId('Upload')) });
  for (const payload of [foreign, missing]) {
    expect(payload).toMatchObject({ import: null, userErrors: [{ code: 'NOT_FOUND', path: ['uploadId'] }] });
  }
});

test("another tenant's import is not seen, cancelled, watched or downloaded", async () => {
  const ours = await createTestTenant(catalog.db);
  const theirs = await createTestTenant(catalog.db);
  const importId = await startOne(theirs.viewer);
  const seen = await catalog.read(
    ours.viewer,
    `query ($id: ID!) { import(id: $id) { id } imports { edges { node { id } } } }`,
    {
      id: importId,
    },
  );
  expect(seen).toEqual({ import: null, imports: { edges: [] } });
  const { cancelImport } = await catalog.read<{ cancelImport: Payload }>(ours.viewer, CANCEL, { input: { importId } });
  expect(cancelImport).toMatchObject({ import: null, userErrors: [{ code: 'NOT_FOUND' }] });
  const watched = catalog.follow(
    ours.viewer,
    `subscription ($id: ID!) { importProgress(importId: $id) { sequence } }`,
    {
      variables: { id: importId },
    },
  );
  expect((await watched.next()).value).toMatchObject({ errors: [{ extensions: { code: 'NOT_FOUND' } }] });
  expect((await send(ours.viewer, `/files/imports/${importId}/errors`)).status).toBe(404);
  const [job] = await withTenant(catalog.db, theirs.tenantId, (tx) =>
    findJobs(tx, 'IMPORT', [decodeGlobalId('Import', importId)]),
  );
  expect(job?.status).toBe('QUEUED');
});

test('a file route needs a token for exactly its method and path, and the scope', async () => {
  const { viewer } = await createTestTenant(catalog.db);
  const token = signInternalToken(INTERNAL_TOKEN_SECRET, { audience: 'catalog', viewer, body: 'GET /files/uploads' });
  const headers = { [INTERNAL_TOKEN_HEADER]: token };
  expect((await fetch(`${catalog.url}/files/uploads`, { method: 'POST', headers, body: 'x' })).status).toBe(401);
  expect((await fetch(`${catalog.url}/files/uploads`, { method: 'POST', body: 'x' })).status).toBe(401);
  const reader: Viewer = { ...viewer, scopes: ['catalog:read'] };
  expect((await send(reader, '/files/uploads', 'x')).status).toBe(403);
});

test('an import whose workflow is under way is told to stop, and one that has ended is not', async () => {
  const { viewer, tenantId } = await createTestTenant(catalog.db);
  const importId = await startOne(viewer);
  const { cancelImport } = await catalog.read<{ cancelImport: Payload }>(viewer, CANCEL, { input: { importId } });
  expect(cancelImport).toEqual({ import: { status: 'QUEUED' }, userErrors: [] });
  const handle = catalog.temporal.workflow.getHandle(
    jobWorkflowId({ tenantId, jobId: decodeGlobalId('Import', importId) }),
  );
  const history = await handle.fetchHistory();
  expect(history.events?.some((event) => event.workflowExecutionCancelRequestedEventAttributes != null)).toBe(true);
  await finish(tenantId, importId);
  const late = await catalog.read<{ cancelImport: Payload }>(viewer, CANCEL, { input: { importId } });
  expect(late.cancelImport.userErrors).toMatchObject([
    { code: 'CONFLICT', message: 'The import has ended already, as SUCCEEDED.' },
  ]);
});

test('an import that no workflow works on is cancelled at once', async () => {
  const { viewer, tenantId } = await createTestTenant(catalog.db);
  const importId = await startOne(viewer);
  await catalog.temporal.workflow
    .getHandle(jobWorkflowId({ tenantId, jobId: decodeGlobalId('Import', importId) }))
    .terminate();
  const { cancelImport } = await catalog.read<{ cancelImport: Payload }>(viewer, CANCEL, { input: { importId } });
  expect(cancelImport).toEqual({ import: { status: 'CANCELLED' }, userErrors: [] });
});

test('a watcher that comes again behind a sequence sees what came since, once, to the end', async () => {
  const { viewer, tenantId } = await createTestTenant(catalog.db);
  const importId = await startOne(viewer);
  const progress = (message: string) => tell(tenantId, importId, { kind: 'PROGRESSED', message, details: {} });
  await progress('one');
  await progress('two');
  const document = `subscription ($id: ID!, $after: Int) {
    importProgress(importId: $id, afterSequence: $after) { sequence kind message import { status } }
  }`;
  const results = catalog.follow<{ importProgress: { sequence: number } }>(viewer, document, {
    variables: { id: importId, after: 1 },
  });
  expect((await results.next()).value).toMatchObject({ data: { importProgress: { sequence: 2, kind: 'PROGRESSED' } } });
  await progress('three');
  expect((await results.next()).value).toMatchObject({ data: { importProgress: { sequence: 3, message: 'three' } } });
  await finish(tenantId, importId);
  expect((await results.next()).value).toMatchObject({
    data: { importProgress: { sequence: 4, kind: 'FINISHED', import: { status: 'SUCCEEDED' } } },
  });
  expect((await results.next()).done).toBe(true);
});

test('wrong rows are read in pages, and downloaded as one file in the order of the import', async () => {
  const { viewer, tenantId } = await createTestTenant(catalog.db);
  const importId = await startOne(viewer);
  const errors = Array.from({ length: 5_001 }, (_, index) => ({
    line: index + 2,
    field: 'title',
    message: `wrong ${index}`,
  }));
  await withTenant(catalog.db, tenantId, (tx) =>
    addImportErrors(tx, decodeGlobalId('Import', importId), { knownCount: 0, errors }),
  );
  const response = await send(viewer, `/files/imports/${importId}/errors`);
  expect(response.headers.get('content-type')).toMatch('application/x-ndjson');
  const lines = (await response.text()).trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(errors);
  const document = `query ($id: ID!, $after: String) {
    import(id: $id) { errors(first: 2, after: $after) { edges { node { line field message } } pageInfo { endCursor hasNextPage } } }
  }`;
  interface Page {
    import: { errors: { edges: { node: object }[]; pageInfo: { endCursor: string; hasNextPage: boolean } } };
  }
  const first = await catalog.read<Page>(viewer, document, { id: importId });
  const second = await catalog.read<Page>(viewer, document, {
    id: importId,
    after: first.import.errors.pageInfo.endCursor,
  });
  expect([...first.import.errors.edges, ...second.import.errors.edges].map(({ node }) => node)).toEqual(
    errors.slice(0, 4),
  );
});
