import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { findActiveVersions } from '@kindred/db/model-versions';
import { withTenant } from '@kindred/db/tenants';
import { decodeVersionManifest } from '@kindred/domain/version-manifest';
import { seedCheckerboard } from '@kindred/testing/checkerboard';
import { type OwnerSession, openOwnerSession } from '@kindred/testing/owner-session';
import { createTestTenant } from '@kindred/testing/test-tenant';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TrainModelInput } from '../../contract.ts';
import { runFolder } from '../../run-files.ts';
import { runWorkers } from '../run-workers.ts';
import { openTrainingWorld, queueRun, readRun, startRun, type TrainingWorld } from '../training-world.ts';
import { checkRun, type TrainingOutcome, type Wanted, type Witnessed } from './invariants.ts';
import { installLedger } from './ledger.ts';

const open = new AsyncDisposableStack();
let world: TrainingWorld;
let owner: OwnerSession;
let input: TrainModelInput;
let witnessed: Witnessed;
let reference: TrainingOutcome;

beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  world = open.use(await openTrainingWorld());
  await installLedger(world.database.ownerUrl);
  owner = open.use(await openOwnerSession(world.database.ownerUrl));
  open.use(await runWorkers(world));
  const { tenantId } = await createTestTenant(world.deps.db);
  await seedCheckerboard(world.deps.db, tenantId, { userCount: 40, itemCount: 40 });
  input = await queueRun(world, tenantId);
  await (await startRun(world, input)).result();
  const { events } = await readRun(world, input);
  const figures = { asked: 10, failed: 0, slowestMs: 5 };
  const follower = { sequences: events.map(({ sequence }) => sequence) };
  witnessed = { input, prober: { figures, failures: [] }, follower };
  reference = (await checkRun(world, witnessed, { endings: ['SUCCEEDED'], reference: null })).outcome;
}, 120_000);

afterAll(() => open.disposeAsync(), 60_000);

const check = async (seen: Partial<Witnessed> = {}, wanted: Partial<Wanted> = {}) => {
  const all = { endings: ['SUCCEEDED'] as const, reference, ...wanted };
  return (await checkRun(world, { ...witnessed, ...seen }, all)).violations;
};

/** What is found while something is as it must not be. */
async function whileBroken(breaking: string, mending: string): Promise<string[]> {
  await owner.query(breaking);
  try {
    return await check();
  } finally {
    await owner.query(mending);
  }
}

test('a training that nothing happened to has nothing against it', async () => {
  expect(await check()).toEqual([]);
});

test('an end that was not wanted is found, and so is the wrong reason', async () => {
  expect(await check({}, { endings: ['CANCELLED'] })).toEqual(['The run ended as SUCCEEDED, wanted CANCELLED.']);
  expect(await check({}, { failure: /poison/ })).toEqual(['The run failed by "null", not /poison/.']);
});

test('figures that differ in their last bit are found', async () => {
  const losses = reference.losses.map((loss, index) => (index === 0 ? loss + Number.EPSILON * loss : loss));
  const [violation] = await check({}, { reference: { ...reference, losses } });
  expect(violation).toContain('undisturbed to');
});

test('a question that was not answered is found', async () => {
  const prober = { figures: { asked: 10, failed: 1, slowestMs: 5 }, failures: ['user-1: no items'] };
  expect(await check({ prober })).toEqual(['1 of 10 questions were not answered: user-1: no items.']);
});

test('an event that a subscriber got twice is found, and one that it did not get', async () => {
  const { sequences } = witnessed.follower;
  const twice = await check({ follower: { sequences: [1, ...sequences] } });
  expect(twice[0]).toMatch(/^The subscriber got the events 1,1,2/);
  const [missing] = await check({ follower: { sequences: sequences.slice(0, -1) } });
  expect(missing).toBe(`It got ${sequences.length - 1} of ${sequences.length} events.`);
});

test('epochs that were computed again are found once they are several and take long', async () => {
  const again = (count: number) =>
    `INSERT INTO chaos_attempts (run_id, told, begun_after) VALUES ('${input.runId}', ${2 + count}, 2)`;
  const forget = 'DELETE FROM chaos_attempts WHERE begun_after = 2';
  expect(await whileBroken(again(3), forget)).toEqual([]);
  const factor = (by: number) => `UPDATE training_events SET body = jsonb_set(body, '{samplesPerSecond}',
    to_jsonb((body->>'samplesPerSecond')::float8 * ${by})) WHERE run_id = '${input.runId}' AND body->>'epoch' IN ('3', '4')`;
  const [slowly, asBefore] = [factor(1e-6), factor(1e6)];
  expect(await whileBroken(`${slowly}; ${again(1)}`, `${asBefore}; ${forget}`)).toEqual([]);
  const [violation] = await whileBroken(`${slowly}; ${again(2)}`, `${asBefore}; ${forget}`);
  expect(violation).toMatch(/^The epochs 3,4, of \d+ ms, were computed again\.$/);
});

test('an event or an epoch that is missing is found', async () => {
  const where = `run_id = '${input.runId}' AND dedupe_key = 'epoch:3'`;
  const keep = `CREATE TABLE kept AS SELECT * FROM training_events WHERE ${where}`;
  const violations = await whileBroken(
    `${keep}; DELETE FROM training_events WHERE ${where}`,
    'INSERT INTO training_events SELECT * FROM kept; DROP TABLE kept',
  );
  expect(violations.join(' ')).toMatch(/Events are .*Epochs were told as 1,2,4,5,6\./);
});

test('a model without an ACTIVE version is found, and a version that was left half-made', async () => {
  const set = (status: string, from: string) =>
    `UPDATE model_versions SET status = '${status}' WHERE status = '${from}' AND algorithm = 'LIGHTGCN'`;
  const retired = await whileBroken(set('RETIRED', 'ACTIVE'), set('ACTIVE', 'RETIRED'));
  expect(retired).toEqual(['No version is ACTIVE behind a training that succeeded.']);
  const building = await whileBroken(set('BUILDING', 'ACTIVE'), set('ACTIVE', 'BUILDING'));
  expect(building).toContain('A version was left half-made.');
});

test('a word that serving was not told is found', async () => {
  const violations = await whileBroken(
    `INSERT INTO outbox (tenant_id, id, topic, message, created_at)
     VALUES ('${input.tenantId}', gen_random_uuid(), 'untold', '{}', now() - interval '1 second')`,
    `DELETE FROM outbox WHERE topic = 'untold'`,
  );
  expect(violations).toEqual(['A word to serving is still in the outbox.']);
});

test('a file that the run left is found', async () => {
  const path = join(world.folder, runFolder(input), 'checkpoints', 'left');
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, 'left');
  expect(await check()).toEqual(['Files of the run are left: checkpoints, checkpoints/left.']);
  await world.deps.objects.delete(runFolder(input));
});

test('a byte too many in a file of the version that answers is found', async () => {
  const { tenantId, modelId } = input;
  const [active] = await withTenant(world.deps.db, tenantId, (tx) => findActiveVersions(tx, [modelId]));
  if (active === undefined) throw new Error('Wanted an ACTIVE version, there is none.');
  const manifest = await world.deps.objects.get(active.artefactKey);
  const { artefact } = decodeVersionManifest(manifest, { tenantId, versionId: active.id });
  await appendFile(await world.deps.objects.materialize(artefact.key), 'x');
  const [violation] = await check();
  expect(violation).toMatch(/has the sha256 [0-9a-f]{64}, its manifest wants [0-9a-f]{64}\.$/);
});

test('two versions that answer at once are found', async () => {
  // The database would not let it be.
  await owner.query('DROP INDEX model_versions_one_active');
  await owner.query(`UPDATE model_versions SET status = 'ACTIVE' WHERE algorithm = 'SPECTRAL'`);
  expect(await check()).toContain('2 versions are ACTIVE.');
});
