import { createTestDatabase } from '@kindred/testing/test-database';
import { Client } from 'pg';
import { expect, test } from 'vitest';
import { findIsolationGaps, listSabotages } from './test-isolation-gaps.ts';

async function connectOwner() {
  const database = await createTestDatabase();
  const client = new Client({ connectionString: database.ownerUrl });
  await client.connect();
  return {
    client,
    [Symbol.asyncDispose]: async () => {
      await client.end();
      await database[Symbol.asyncDispose]();
    },
  };
}

test('the catalogue shows no way from one tenant to another', async () => {
  await using owner = await connectOwner();
  expect(await findIsolationGaps(owner.client)).toEqual([]);
});

test('each policy that is dropped or opened, and each table that is not forced, is found by itself', async () => {
  await using owner = await connectOwner();
  const { client } = owner;
  const sabotages = await listSabotages(client);
  const unseen: string[] = [];
  for (const { name, statement } of sabotages) {
    await client.query('BEGIN');
    await client.query(statement);
    if ((await findIsolationGaps(client)).length === 0) unseen.push(name);
    await client.query('ROLLBACK');
  }
  expect(unseen).toEqual([]);
  expect(sabotages.length).toBeGreaterThan(100);
});

test.each([
  ['CREATE TABLE secrets (id int PRIMARY KEY)', 'secrets does not ENABLE row-level security'],
  [
    'ALTER TABLE training_events DROP CONSTRAINT training_events_pkey, ADD PRIMARY KEY (run_id, sequence)',
    'training_events has no primary key that begins with tenant_id',
  ],
  [
    'CREATE UNIQUE INDEX one ON models (id); ALTER TABLE training_runs ADD CONSTRAINT bad FOREIGN KEY (model_id) REFERENCES models (id)',
    'training_runs: the foreign key bad does not carry tenant_id on both sides',
  ],
  ['GRANT SELECT (password_hash) ON accounts TO kindred_app', 'the application has a right on accounts'],
  ['GRANT SELECT ON operators TO kindred_app', 'the application has a right on operators'],
  ['ALTER TABLE items OWNER TO kindred_app', 'the role kindred_app can step around row-level security'],
])('%s is found', async (statement, gap) => {
  await using owner = await connectOwner();
  await owner.client.query(statement);
  expect(await findIsolationGaps(owner.client)).toContain(gap);
});
