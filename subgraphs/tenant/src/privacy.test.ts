import { randomBytes } from 'node:crypto';
import { appendAuditEvent } from '@kindred/db/audit-log';
import { createErasure, getErasure } from '@kindred/db/erasures';
import { recordInteractions } from '@kindred/db/interactions';
import { upsertItems } from '@kindred/db/items';
import { pruneAuditLog } from '@kindred/db/retention';
import { withTenant } from '@kindred/db/tenants';
import { finishUserExport } from '@kindred/db/user-exports';
import { decodeGlobalId, encodeGlobalId, newId, type TenantId } from '@kindred/domain/ids';
import { scopesOfApiKeyKind, scopesOfRole, type Viewer } from '@kindred/domain/viewer';
import { ageAuditLog } from '@kindred/testing/aged-audit-log';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { subjectOf } from './erasure-subject.ts';
import { readExportLink, signExportLink } from './export-link.ts';
import { createTestSubgraph, signUpTenant, type TestSubgraph } from './test-subgraph.ts';

let subgraph: TestSubgraph;
beforeAll(async () => {
  subgraph = await createTestSubgraph();
}, 120_000);
afterAll(() => subgraph[Symbol.asyncDispose]());

const ERASE = `mutation ($input: EraseUserInput!) {
  eraseUser(input: $input) { erasure { id subject status retrain } userErrors { code path } }
}`;
const EXPORT = `mutation ($input: ExportUserDataInput!) {
  exportUserData(input: $input) { export { id status downloadPath } userErrors { code path } }
}`;

interface Erased {
  eraseUser: {
    erasure: { id: string; subject: string; status: string; retrain: boolean } | null;
    userErrors: { code: string; path: string[] }[];
  };
}
interface Exported {
  exportUserData: {
    export: { id: string; status: string; downloadPath: string | null } | null;
    userErrors: { code: string; path: string[] }[];
  };
}

async function addUser(tenantId: TenantId, userExternalId: string): Promise<void> {
  await withTenant(subgraph.db, tenantId, async (tx) => {
    await upsertItems(tx, [{ externalId: 'item', title: 'Item', categories: [], properties: {} }]);
    await recordInteractions(tx, [{ userExternalId, itemExternalId: 'item', type: 'VIEW', occurredAt: new Date() }]);
  });
}

test('who may manage the tenant’s privacy may erase and export, others may not', async () => {
  const { viewer, tenantId } = await signUpTenant(subgraph);
  await addUser(tenantId, 'person');
  const ofRole = (role: 'ADMIN' | 'MEMBER' | 'VIEWER'): Viewer => ({ ...viewer, role, scopes: scopesOfRole(role) });
  const ofKey = (kind: 'SECRET' | 'PUBLISHABLE'): Viewer => {
    return { kind: 'apiKey', apiKeyId: newId('ApiKey'), tenantId, scopes: scopesOfApiKeyKind(kind) };
  };
  for (const refused of [ofRole('MEMBER'), ofRole('VIEWER'), ofKey('PUBLISHABLE')]) {
    const erased = await subgraph.ask(refused, ERASE, { input: { externalId: 'person' } });
    expect(erased.errors?.[0]?.extensions.code).toBe('FORBIDDEN');
    const exported = await subgraph.ask(refused, EXPORT, { input: { externalId: 'person' } });
    expect(exported.errors?.[0]?.extensions.code).toBe('FORBIDDEN');
  }
  for (const admitted of [viewer, ofRole('ADMIN'), ofKey('SECRET')]) {
    const { exportUserData } = await subgraph.read<Exported>(admitted, EXPORT, { input: { externalId: 'person' } });
    expect(exportUserData.export?.status).toBe('RUNNING');
    const { eraseUser } = await subgraph.read<Erased>(admitted, ERASE, { input: { externalId: 'nobody' } });
    expect(eraseUser.erasure?.status).toBe('RUNNING');
  }
});

test('a hundred calls with one idempotency key are one erasure, and another request with it is refused', async () => {
  const { viewer } = await signUpTenant(subgraph);
  const input = { externalId: 'person', idempotencyKey: 'once' };
  const answers = await Promise.all(Array.from({ length: 100 }, () => subgraph.read<Erased>(viewer, ERASE, { input })));
  expect(new Set(answers.map(({ eraseUser }) => eraseUser.erasure?.id)).size).toBe(1);
  const other = await subgraph.ask(viewer, ERASE, { input: { ...input, externalId: 'other' } });
  expect(other.errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT');
}, 60_000);

test('an erasure that nobody has begun is taken up by the next who asks', async () => {
  const { viewer, tenantId, accountId } = await signUpTenant(subgraph);
  const id = newId('Erasure');
  const subject = subjectOf('the API key pepper of the tests, 32 chars', tenantId, 'person');
  const requestedBy = { kind: 'account', id: accountId } as const;
  await withTenant(subgraph.db, tenantId, (tx) =>
    createErasure(tx, { id, subject, externalId: 'person', retrain: false, requestedBy }),
  );
  const { eraseUser } = await subgraph.read<Erased>(viewer, ERASE, { input: { externalId: 'person' } });
  expect(eraseUser.erasure?.id).toBe(encodeGlobalId('Erasure', id));
});

test('what is kept of a request names the user by keyed hash alone: another for each tenant, the same for the same user', async () => {
  const [ours, theirs] = [await signUpTenant(subgraph), await signUpTenant(subgraph)];
  const canary = `canary-${randomBytes(6).toString('hex')}`;
  const subjectIn = async ({ viewer }: { viewer: Viewer }) =>
    (
      await subgraph.read<Erased>(viewer, ERASE, {
        input: { externalId: canary, idempotencyKey: randomBytes(4).toString('hex') },
      })
    ).eraseUser.erasure?.subject;
  const subjects = [await subjectIn(ours), await subjectIn(ours), await subjectIn(theirs)];
  expect(subjects[0]).toMatch(/^[0-9a-f]{64}$/);
  expect(subjects[1]).toBe(subjects[0]);
  expect(subjects[2]).not.toBe(subjects[0]);
  const kept = await withTenant(subgraph.db, ours.tenantId, async (tx) =>
    JSON.stringify([
      await tx.client.auditEvent.findMany({ select: { details: true } }),
      await tx.client.idempotencyRecord.findMany({ select: { response: true } }),
    ]),
  );
  expect(kept).toContain(subjects[0]);
  expect(kept).not.toContain(canary);
  expect(subjectOf('one pepper', ours.tenantId, canary)).not.toEqual(subjectOf('another', ours.tenantId, canary));
});

test('erasures and exports of another tenant do not exist', async () => {
  const [ours, theirs] = [await signUpTenant(subgraph), await signUpTenant(subgraph)];
  await addUser(ours.tenantId, 'person');
  const erased = await subgraph.read<Erased>(ours.viewer, ERASE, { input: { externalId: 'somebody' } });
  const exported = await subgraph.read<Exported>(ours.viewer, EXPORT, { input: { externalId: 'person' } });
  const ids = { erasureId: erased.eraseUser.erasure?.id, exportId: exported.exportUserData.export?.id };
  const LOOK = `query ($erasureId: ID!, $exportId: ID!) {
    erasure(id: $erasureId) { id receipt { sequence } } userExport(id: $exportId) { id } erasures { edges { node { id } } }
  }`;
  expect(await subgraph.read(ours.viewer, LOOK, ids)).toMatchObject({
    erasure: { id: ids.erasureId, receipt: [] },
    userExport: { id: ids.exportId },
    erasures: { edges: [{ node: { id: ids.erasureId } }] },
  });
  expect(await subgraph.read(theirs.viewer, LOOK, ids)).toEqual({
    erasure: null,
    userExport: null,
    erasures: { edges: [] },
  });
  const VERIFY = `mutation ($id: ID!) { verifyErasure(input: { erasureId: $id }) { verification { isErased } userErrors { code } } }`;
  expect(await subgraph.read(theirs.viewer, VERIFY, { id: ids.erasureId })).toEqual({
    verifyErasure: { verification: null, userErrors: [{ code: 'NOT_FOUND' }] },
  });
});

test('a copy of nobody is refused, and an id that no user can have', async () => {
  const { viewer } = await signUpTenant(subgraph);
  const { exportUserData } = await subgraph.read<Exported>(viewer, EXPORT, { input: { externalId: 'nobody' } });
  expect(exportUserData).toEqual({ export: null, userErrors: [{ code: 'NOT_FOUND', path: ['externalId'] }] });
  for (const externalId of ['', 'x'.repeat(201), 'a\0b']) {
    const { eraseUser } = await subgraph.read<Erased>(viewer, ERASE, { input: { externalId } });
    expect(eraseUser).toEqual({ erasure: null, userErrors: [{ code: 'INVALID', path: ['externalId'] }] });
  }
});

test('an archive is given to whoever has its link, while the link and the archive live', async () => {
  const { viewer, tenantId } = await signUpTenant(subgraph);
  await addUser(tenantId, 'person');
  const exported = await subgraph.read<Exported>(viewer, EXPORT, { input: { externalId: 'person', validMinutes: 5 } });
  const id = exported.exportUserData.export?.id ?? '';
  const archiveKey = `tenants/${tenantId}/exports/archive`;
  await subgraph.objects.put(archiveKey, Buffer.from('an archive'));
  const exportId = decodeGlobalId('UserExport', id);
  await withTenant(subgraph.db, tenantId, (tx) =>
    finishUserExport(tx, { id: exportId, archiveKey, sha256: randomBytes(32), sizeBytes: 10 }),
  );
  const read = () =>
    subgraph.read<{ userExport: { status: string; downloadPath: string | null } }>(
      viewer,
      'query ($id: ID!) { userExport(id: $id) { status downloadPath } }',
      { id },
    );
  const { userExport } = await read();
  expect(userExport.status).toBe('READY');
  const response = await fetch(`${subgraph.url}${userExport.downloadPath}`);
  expect([response.status, await response.text()]).toEqual([200, 'an archive']);
  expect(response.headers.get('cache-control')).toBe('no-store');
  for (const path of ['/exports/forged.link', `${userExport.downloadPath}x`, '/exports/e30.e30']) {
    expect((await fetch(`${subgraph.url}${path}`)).status).toBe(404);
  }
  await withTenant(subgraph.db, tenantId, (tx) => tx.client.$executeRaw`UPDATE user_exports SET expires_at = now()`);
  expect((await read()).userExport).toEqual({ status: 'EXPIRED', downloadPath: null });
  expect((await fetch(`${subgraph.url}${userExport.downloadPath}`)).status).toBe(404);
});

test('a link leads to its archive for ten minutes, and only under the pepper that signed it', () => {
  const place = { tenantId: newId('Tenant'), exportId: newId('UserExport') };
  const token = signExportLink('pepper', place, 0);
  expect(readExportLink('pepper', token, 599_999)).toEqual(place);
  expect(readExportLink('pepper', token, 600_000)).toBeNull();
  expect(readExportLink('another', token, 0)).toBeNull();
});

test('a policy is set, read and cleared, and told in the audit log', async () => {
  const { viewer } = await signUpTenant(subgraph);
  const SET = `mutation ($input: SetRetentionInput!) {
    setRetention(input: $input) { retention { interactionDays versionDays auditDays } userErrors { code path } }
  }`;
  const set = (input: object) => subgraph.read(viewer, SET, { input });
  expect(await set({ interactionDays: 0 })).toEqual({
    setRetention: { retention: null, userErrors: [{ code: 'INVALID', path: ['interactionDays'] }] },
  });
  for (const auditDays of [0, 364, 3_651]) {
    expect(await set({ auditDays })).toEqual({
      setRetention: { retention: null, userErrors: [{ code: 'INVALID', path: ['auditDays'] }] },
    });
  }
  const policy = { interactionDays: 365, versionDays: 30, auditDays: 400 };
  expect(await set(policy)).toEqual({ setRetention: { retention: policy, userErrors: [] } });
  const READ = `{ tenant {
    retention { interactionDays versionDays auditDays } auditEvents(first: 1) { edges { node { action details } } }
  } }`;
  const told = { action: 'setRetention', details: expect.stringContaining('"auditDays":400') as string };
  expect(await subgraph.read(viewer, READ)).toEqual({
    tenant: { retention: policy, auditEvents: { edges: [{ node: told }] } },
  });
  expect(await set({})).toMatchObject({
    setRetention: { retention: { interactionDays: null, versionDays: null, auditDays: null } },
  });
});

test('a pruned audit log says from where on it is verified, to its tenant alone', async () => {
  const [ours, theirs] = [await signUpTenant(subgraph), await signUpTenant(subgraph)];
  for (const { tenantId, accountId } of [ours, theirs]) {
    const actor = { kind: 'account', id: accountId } as const;
    await withTenant(subgraph.db, tenantId, (tx) => appendAuditEvent(tx, { actor, action: 'createApiKey' }));
    await ageAuditLog(subgraph.ownerUrl, tenantId, 500);
  }
  await subgraph.read(ours.viewer, 'mutation { setRetention(input: { auditDays: 365 }) { userErrors { code } } }');
  const prunedCounts = [ours, theirs].map(({ tenantId }) =>
    withTenant(subgraph.db, tenantId, (tx) => pruneAuditLog(tx, 100)),
  );
  const [prunedCount] = await Promise.all(prunedCounts);
  const LOOK = '{ tenant { auditChain { eventCount problem anchor { sequence hash prunedAt reason } } } }';
  expect(await subgraph.read(ours.viewer, LOOK)).toEqual({
    tenant: {
      auditChain: {
        eventCount: 2,
        problem: null,
        anchor: {
          sequence: prunedCount,
          hash: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
          prunedAt: expect.any(String) as string,
          reason: 'kept for 365 days',
        },
      },
    },
  });
  expect(await subgraph.read(theirs.viewer, LOOK)).toMatchObject({
    tenant: { auditChain: { problem: null, anchor: null } },
  });
});

test('an erasure is unknown to a tenant that did not ask for it, in the database too', async () => {
  const [ours, theirs] = [await signUpTenant(subgraph), await signUpTenant(subgraph)];
  const id = newId('Erasure');
  await withTenant(subgraph.db, ours.tenantId, (tx) =>
    createErasure(tx, {
      id,
      subject: randomBytes(32),
      externalId: 'person',
      retrain: false,
      requestedBy: { kind: 'account', id: ours.accountId },
    }),
  );
  await expect(withTenant(subgraph.db, theirs.tenantId, (tx) => getErasure(tx, id))).rejects.toThrow(
    'There is no erasure',
  );
});
