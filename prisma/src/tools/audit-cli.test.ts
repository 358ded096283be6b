import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ageAuditLog } from '@kindred/testing/aged-audit-log';
import { createTestDatabase, type TestDatabase } from '@kindred/testing/test-database';
import { createTestTenant, type TestTenant } from '@kindred/testing/test-tenant';
import { Client } from 'pg';
import { expect, test } from 'vitest';
import { appendAuditEvent } from '../audit-log.ts';
import { pruneAuditLog, setRetentionPolicy } from '../retention.ts';
import { withTenant } from '../tenants.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const HASH = `sha256(previous_hash || convert_to(jsonb_build_array(tenant_id, sequence, (extract(epoch FROM at) * 1000)::bigint,
  actor, action, details)::text, 'UTF8'))`;

interface Run {
  status: number;
  lines: string[];
}

/** The command as an operator runs it. */
function runAudit(url: string, ...args: string[]): Promise<Run> {
  const env = { ...process.env, MIGRATION_DATABASE_URL: url };
  return new Promise((resolve) => {
    const npm = ['run', '--silent', 'audit', '-w', 'prisma', '--', ...args];
    execFile('npm', npm, { cwd: ROOT, env, timeout: 60_000 }, (error, stdout, stderr) => {
      const status = error === null ? 0 : Number(error.code);
      resolve({ status, lines: `${stdout}${stderr}`.split('\n').filter((line) => line !== '') });
    });
  });
}

async function openWorld() {
  const database = await createTestDatabase();
  const [ours, theirs] = [await createTestTenant(database.db), await createTestTenant(database.db)];
  for (const [tenant, count] of [
    [ours, 6],
    [theirs, 2],
  ] as const) {
    for (let number = 1; number <= count; number += 1) await append(database, tenant, number);
  }
  return { database, ours, theirs, [Symbol.asyncDispose]: () => database[Symbol.asyncDispose]() };
}

function append({ db }: TestDatabase, { tenantId, accountId }: TestTenant, number: number): Promise<void> {
  const actor = { kind: 'account', id: accountId } as const;
  return withTenant(db, tenantId, (tx) => appendAuditEvent(tx, { actor, action: 'createApiKey', details: { number } }));
}

async function asOwner({ ownerUrl }: TestDatabase, script: string, tenantId: string): Promise<void> {
  const client = new Client({ connectionString: ownerUrl });
  await client.connect();
  try {
    for (const statement of script.split(';')) await client.query(statement.replaceAll('$1', `'${tenantId}'`));
  } finally {
    await client.end();
  }
}

test('whole chains end with 0, with one line and the head of each tenant', async () => {
  await using world = await openWorld();
  const { status, lines } = await runAudit(world.database.ownerUrl, 'verify');
  expect(lines.toSorted()).toEqual(
    [
      expect.stringMatching(`^${world.ours.tenantId} whole: 6 events verified, head [0-9a-f]{64}$`) as string,
      expect.stringMatching(`^${world.theirs.tenantId} whole: 2 events verified, head [0-9a-f]{64}$`) as string,
    ].toSorted(),
  );
  expect(status).toBe(0);
}, 90_000);

test.each([
  [
    'altered',
    `UPDATE audit_events SET details = '{"number": 0}' WHERE tenant_id = $1 AND sequence = 3`,
    'event 3 was changed',
  ],
  [
    'deleted',
    'DELETE FROM audit_events WHERE tenant_id = $1 AND sequence = 3',
    'event 3 is missing: the next one is 4',
  ],
  [
    'inserted, with all behind it counted on and a hash of its own,',
    `UPDATE audit_events SET sequence = sequence + 1000 WHERE tenant_id = $1 AND sequence >= 3;
     INSERT INTO audit_events SELECT tenant_id, 3, at, actor, action, '{"number": 0}', hash, '' FROM audit_events
      WHERE tenant_id = $1 AND sequence = 2;
     UPDATE audit_events SET hash = ${HASH} WHERE tenant_id = $1 AND sequence = 3;
     UPDATE audit_events SET sequence = sequence - 999 WHERE tenant_id = $1 AND sequence >= 1000`,
    'event 4 does not follow the one before it',
  ],
  [
    'inserted at the end',
    `INSERT INTO audit_events SELECT tenant_id, 7, at, actor, action, details, previous_hash, hash FROM audit_events
      WHERE tenant_id = $1 AND sequence = 6`,
    'event 7 does not follow the one before it',
  ],
  [
    'put in another’s place',
    `UPDATE audit_events SET sequence = 1003 WHERE tenant_id = $1 AND sequence = 3;
     UPDATE audit_events SET sequence = 3 WHERE tenant_id = $1 AND sequence = 4;
     UPDATE audit_events SET sequence = 4 WHERE tenant_id = $1 AND sequence = 1003`,
    'event 3 does not follow the one before it',
  ],
])(
  'a row that was %s ends with 1, and the line of its tenant names it',
  async (_, script, problem) => {
    await using world = await openWorld();
    const { database, ours, theirs } = world;
    await asOwner(database, script, ours.tenantId);
    const { status, lines } = await runAudit(database.ownerUrl, 'verify');
    expect(status).toBe(1);
    expect(lines.find((line) => line.startsWith(ours.tenantId))).toContain(` ${problem}: `);
    expect(lines.find((line) => line.startsWith(theirs.tenantId))).toContain(' whole: 2 events verified');
  },
  90_000,
);

test('a pruned chain is whole from its anchor on, and the line of its tenant says so', async () => {
  await using world = await openWorld();
  const { database, ours, theirs } = world;
  await ageAuditLog(database.ownerUrl, ours.tenantId, 400);
  await append(database, ours, 7);
  await withTenant(database.db, ours.tenantId, async (tx) => {
    await setRetentionPolicy(tx, { interactionDays: null, versionDays: null, auditDays: 365 });
    await pruneAuditLog(tx, 100);
  });
  const { status, lines } = await runAudit(database.ownerUrl, 'verify');
  expect(lines.find((line) => line.startsWith(ours.tenantId))).toMatch(
    /whole: 2 events verified from the anchor on \(pruned up to event 6 at \d{4}-.+Z, kept for 365 days\), head [0-9a-f]{64}$/,
  );
  expect(lines.find((line) => line.startsWith(theirs.tenantId))).toMatch(
    /whole: 2 events verified, head [0-9a-f]{64}$/,
  );
  expect(status).toBe(0);
}, 90_000);

test('a command that it does not know ends with 1 and says what was wanted', async () => {
  await using world = await openWorld();
  const { status, lines } = await runAudit(world.database.ownerUrl, 'repair');
  expect(status).toBe(1);
  expect(lines.join('\n')).toContain('Wanted "verify", got "repair".');
}, 90_000);
