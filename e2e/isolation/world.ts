import { randomBytes } from 'node:crypto';
import { addImportErrors } from '@kindred/db/import-errors';
import { appendJobEvent, createJob } from '@kindred/db/jobs';
import { createModelVersion } from '@kindred/db/model-versions';
import { withTenant } from '@kindred/db/tenants';
import { appendTrainingEvent } from '@kindred/db/training-events';
import { createTrainingRun } from '@kindred/db/training-runs';
import { endTrial, planTrials } from '@kindred/db/tuning-trials';
import { decodeGlobalId, encodeGlobalId, newId, type TenantId } from '@kindred/domain/ids';
import { type ApiClient, connectApi, dataOf } from '../support/api-client.ts';
import type { KnownValues } from './operations.ts';
import type { Servers } from './servers.ts';

/** A tenant whose every own text holds `canary`, and what an attacker who knew all its ids would send. */
export interface CanaryTenant {
  tenantId: TenantId;
  canary: string;
  accessToken: string;
  secretKey: string;
  secretKeyId: string;
  client: ApiClient;
  /** Every global id of the tenant. */
  ids: Record<
    | 'Tenant'
    | 'Account'
    | 'ApiKey'
    | 'Item'
    | 'User'
    | 'Model'
    | 'TrainingRun'
    | 'ModelVersion'
    | 'Webhook'
    | 'WebhookDelivery'
    | 'Erasure'
    | 'UserExport'
    | 'Upload'
    | 'Import'
    | 'Tuning'
    | 'BatchRecommendation'
    | 'PublishedDocument',
    string
  >;
  known: (coordinate: string) => KnownValues;
}

async function run<T>(client: ApiClient, query: string, variables: Record<string, unknown> = {}): Promise<T> {
  return dataOf(await client.ask<T>({ query, variables }));
}

interface SignedUp {
  signUp: { session: { accessToken: string; viewer: { tenant: { id: string }; account: { id: string } } } };
}

/** Signs a tenant up and fills it through the public API; what a training writes is written as its worker does. */
export async function openCanaryTenant(servers: Servers): Promise<CanaryTenant> {
  const apiUrl = `${servers.gatewayUrl}/graphql`;
  const canary = `canary${randomBytes(8).toString('hex')}`;
  const owner = {
    tenantName: canary,
    displayName: canary,
    email: `${canary}@example.com`,
    password: `password ${canary}`,
  };
  const { signUp } = await run<SignedUp>(
    connectApi(apiUrl),
    `mutation ($input: SignUpInput!) { signUp(input: $input) { session { accessToken viewer { tenant { id } account { id } } } } }`,
    { input: owner },
  );
  const { accessToken, viewer } = signUp.session;
  const client = connectApi(apiUrl, accessToken);
  const { createApiKey } = await run<{ createApiKey: { secret: string; apiKey: { id: string } } }>(
    client,
    `mutation ($name: String!) { createApiKey(input: { name: $name, kind: SECRET }) { secret apiKey { id } } }`,
    { name: canary },
  );
  const properties = { note: canary };
  await run(client, `mutation ($items: [ItemInput!]!) { upsertItems(input: { items: $items }) { writtenCount } }`, {
    items: ['item-1', 'item-2'].map((externalId) => ({ externalId, title: canary, categories: [canary], properties })),
  });
  await run(
    client,
    `mutation { recordInteractions(input: { interactions: [{ userExternalId: "user-1", itemExternalId: "item-1", type: VIEW }] }) { recordedCount } }`,
  );
  const { createModel } = await run<{ createModel: { model: { id: string } } }>(
    client,
    `mutation ($name: String!) { createModel(input: { name: $name }) { model { id } } }`,
    { name: canary },
  );
  const { item, user } = await run<{ item: { id: string }; user: { id: string } }>(
    client,
    `{ item(externalId: "item-1") { id } user(externalId: "user-1") { id } }`,
  );
  const { createWebhook } = await run<{ createWebhook: { webhook: { id: string } } }>(
    client,
    `mutation ($url: String!) { createWebhook(input: { url: $url }) { webhook { id } } }`,
    { url: `https://hook.invalid/${canary}` },
  );
  const { testWebhook } = await run<{ testWebhook: { delivery: { id: string } } }>(
    client,
    `mutation ($id: ID!) { testWebhook(input: { webhookId: $id }) { delivery { id } } }`,
    { id: createWebhook.webhook.id },
  );
  const { eraseUser, exportUserData } = await run<{
    eraseUser: { erasure: { id: string } };
    exportUserData: { export: { id: string } };
  }>(
    client,
    `mutation ($gone: String!) {
      eraseUser(input: { externalId: $gone }) { erasure { id } }
      exportUserData(input: { externalId: "user-1" }) { export { id } }
    }`,
    { gone: canary },
  );
  const { publishDocuments } = await run<{ publishDocuments: { documentIds: [string] } }>(
    client,
    `mutation ($text: String!) { publishDocuments(input: { documents: [$text] }) { documentIds } }`,
    // Plans are kept in Redis, and hold what a document says; they do not hold what stands beside it.
    { text: `# ${canary}\nquery Shelf { viewer { scopes } }` },
  );
  const tenantId = decodeGlobalId('Tenant', viewer.tenant.id);
  const { runId, versionId } = await writeTraining(servers, { tenantId, modelId: createModel.model.id, canary });
  const ids = {
    Tenant: viewer.tenant.id,
    Account: viewer.account.id,
    ApiKey: createApiKey.apiKey.id,
    Item: item.id,
    User: user.id,
    Model: createModel.model.id,
    TrainingRun: runId,
    ModelVersion: versionId,
    Webhook: createWebhook.webhook.id,
    WebhookDelivery: testWebhook.delivery.id,
    Erasure: eraseUser.erasure.id,
    UserExport: exportUserData.export.id,
    ...(await writeImport(servers, { tenantId, canary })),
    Tuning: await writeTuning(servers, { tenantId, modelId: createModel.model.id, canary }),
    BatchRecommendation: await writeBatch(servers, { tenantId, modelId: createModel.model.id, versionId, canary }),
    PublishedDocument: publishDocuments.documentIds[0],
  };
  const secrets = { secretKey: createApiKey.secret, secretKeyId: createApiKey.apiKey.id };
  return {
    tenantId,
    canary,
    accessToken,
    ...secrets,
    client,
    ids,
    known: (coordinate) => knownValues(ids, coordinate),
  };
}

async function writeTraining(
  { database: { db } }: Servers,
  { tenantId, modelId, canary }: { tenantId: TenantId; modelId: string; canary: string },
): Promise<{ runId: string; versionId: string }> {
  const [id, versionId] = [newId('TrainingRun'), newId('ModelVersion')];
  await withTenant(db, tenantId, async (tx) => {
    await createTrainingRun(tx, { id, modelId: decodeGlobalId('Model', modelId), settings: {} });
    const body = { kind: 'LOG', message: canary } as const;
    await appendTrainingEvent(tx, { runId: id, dedupeKey: 'canary', at: Date.now(), body });
    await createModelVersion(tx, {
      id: versionId,
      runId: id,
      algorithm: 'LIGHTGCN',
      artefactKey: `tenants/${tenantId}/${canary}`,
    });
  });
  return { runId: encodeGlobalId('TrainingRun', id), versionId: encodeGlobalId('ModelVersion', versionId) };
}

async function writeImport(
  { database: { db } }: Servers,
  { tenantId, canary }: { tenantId: TenantId; canary: string },
): Promise<{ Upload: string; Import: string }> {
  const [id, uploadId] = [newId('Import'), newId('Upload')];
  await withTenant(db, tenantId, async (tx) => {
    const order = { uploadId, kind: 'ITEMS', format: 'CSV', errorPolicy: 'REJECT_EVERYTHING' };
    await createJob(tx, { id, kind: 'IMPORT', order });
    await addImportErrors(tx, id, { knownCount: 0, errors: [{ line: 1, field: null, message: canary }] });
    const body = { kind: 'PROGRESSED', message: canary, details: {} } as const;
    await appendJobEvent(tx, { jobId: id, dedupeKey: 'canary', at: Date.now(), body });
  });
  return { Upload: encodeGlobalId('Upload', uploadId), Import: encodeGlobalId('Import', id) };
}

async function writeTuning(
  { database: { db } }: Servers,
  { tenantId, modelId, canary }: { tenantId: TenantId; modelId: string; canary: string },
): Promise<string> {
  const id = newId('Tuning');
  await withTenant(db, tenantId, async (tx) => {
    const order = { trialCount: 2, parallelCount: 1, epochs: 1, seed: 1, applies: false };
    await createJob(tx, { id, kind: 'TUNING', modelId: decodeGlobalId('Model', modelId), order });
    await planTrials(tx, { tuningId: id, points: [{}] });
    await endTrial(tx, { tuningId: id, number: 0, status: 'FAILED', failure: canary });
    const body = { kind: 'PROGRESSED', message: canary, details: {} } as const;
    await appendJobEvent(tx, { jobId: id, dedupeKey: 'canary', at: Date.now(), body });
  });
  return encodeGlobalId('Tuning', id);
}

async function writeBatch(
  { database: { db } }: Servers,
  { tenantId, modelId, versionId, canary }: { tenantId: TenantId; modelId: string; versionId: string; canary: string },
): Promise<string> {
  const id = newId('BatchRecommendation');
  await withTenant(db, tenantId, async (tx) => {
    const order = { versionId: decodeGlobalId('ModelVersion', versionId), count: 1, userIds: null, keptForMs: 1 };
    await createJob(tx, { id, kind: 'BATCH_RECOMMENDATION', modelId: decodeGlobalId('Model', modelId), order });
    const body = { kind: 'PROGRESSED', message: canary, details: {} } as const;
    await appendJobEvent(tx, { jobId: id, dedupeKey: 'canary', at: Date.now(), body });
  });
  return encodeGlobalId('BatchRecommendation', id);
}

/** The tenant's own ids for every argument that takes one. */
function knownValues(ids: CanaryTenant['ids'], coordinate: string): KnownValues {
  const idByField: Record<string, string> = {
    'Query.model': ids.Model,
    'Query.trainingRun': ids.TrainingRun,
    'Query.webhook': ids.Webhook,
    'Query.erasure': ids.Erasure,
    'Query.userExport': ids.UserExport,
    'Query.import': ids.Import,
    'Query.tuning': ids.Tuning,
    'Query.batchRecommendation': ids.BatchRecommendation,
  };
  return {
    externalId: coordinate === 'Query.user' ? 'user-1' : 'item-1',
    userExternalId: 'user-1',
    itemExternalId: 'item-1',
    ...(coordinate === 'Query.recommend' && { user: { externalId: 'user-1' } }),
    ...(coordinate in idByField && { id: idByField[coordinate] }),
    itemId: ids.Item,
    runId: ids.TrainingRun,
    modelId: ids.Model,
    accountId: ids.Account,
    apiKeyId: ids.ApiKey,
    tenantId: ids.Tenant,
    webhookId: ids.Webhook,
    deliveryId: ids.WebhookDelivery,
    erasureId: ids.Erasure,
    uploadId: ids.Upload,
    importId: ids.Import,
    versionId: ids.ModelVersion,
    tuningId: ids.Tuning,
    batchRecommendationId: ids.BatchRecommendation,
    url: 'https://hook.invalid/',
    documentIds: ids.PublishedDocument,
    documents: '{ viewer { scopes } }',
    invitationId: `inv_${'0'.repeat(32)}`,
    role: 'VIEWER',
    reason: 'a reason of the test',
    ...(coordinate === 'Mutation.signUp' && { email: 'no address' }),
  };
}
