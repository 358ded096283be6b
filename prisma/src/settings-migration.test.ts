import { randomBytes } from 'node:crypto';
import { cp, mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { testInfrastructure } from '@kindred/testing/infrastructure';
import { Client, escapeIdentifier } from 'pg';
import { expect, test } from 'vitest';
import { migrateDatabase } from './migrate.ts';
import { readMigrations } from './migration-files.ts';

const MODEL_OF_THEN =
  '{"dimension": 64, "layers": 2, "learningRate": 0.01, "regularization": 0.001, "batchSize": 4096, "epochs": 50, "patience": 8, "seed": 1}';

/** A database as the first migration left it. */
async function createOldDatabase() {
  const { postgresUrl } = testInfrastructure();
  const server = new Client({ connectionString: postgresUrl });
  await server.connect();
  const name = `kindred_test_${randomBytes(8).toString('hex')}`;
  await server.query(`CREATE DATABASE ${escapeIdentifier(name)} TEMPLATE template0`);
  const url = new URL(postgresUrl);
  url.pathname = `/${name}`;
  await using folder = await mkdtempDisposable(path.join(tmpdir(), 'kindred-migrations-'));
  const [first] = await readMigrations();
  const source = path.join(import.meta.dirname, '..', 'migrations', first?.name ?? '');
  await cp(source, path.join(folder.path, first?.name ?? ''), { recursive: true });
  await migrateDatabase(url.href, { migrationsDir: folder.path });
  const client = new Client({ connectionString: url.href });
  await client.connect();
  return {
    client,
    url: url.href,
    async [Symbol.asyncDispose]() {
      await client.end();
      await server.query(`DROP DATABASE ${escapeIdentifier(name)} WITH (FORCE)`);
      await server.end();
    },
  };
}

const ID = (digit: number) => `00000000-0000-7000-8000-00000000000${digit}`;

test('models and runs of before keep what somebody set and what they trained with', async () => {
  await using old = await createOldDatabase();
  const chosen = MODEL_OF_THEN.replace('"epochs": 50', '"epochs": 60');
  await old.client.query(`
    INSERT INTO tenants (id, name, slug) VALUES ('${ID(1)}', 'Old', 'old');
    INSERT INTO models (tenant_id, id, name, algorithm, hyperparameters) VALUES
      ('${ID(1)}', '${ID(2)}', 'untouched', 'LIGHTGCN', '${MODEL_OF_THEN}'),
      ('${ID(1)}', '${ID(3)}', 'longer', 'LIGHTGCN', '${chosen}');
    INSERT INTO training_runs (tenant_id, id, model_id, hyperparameters)
      VALUES ('${ID(1)}', '${ID(4)}', '${ID(3)}', '${chosen}');
    INSERT INTO model_versions (tenant_id, id, model_id, run_id, number, artefact_key)
      VALUES ('${ID(1)}', '${ID(5)}', '${ID(3)}', '${ID(4)}', 1, 'key');`);
  await migrateDatabase(old.url);
  const models = await old.client.query('SELECT name, settings FROM models ORDER BY name DESC');
  expect(models.rows).toEqual([
    { name: 'untouched', settings: {} },
    { name: 'longer', settings: { epochs: 60 } },
  ]);
  const runs = await old.client.query('SELECT settings, hyperparameters, compute FROM training_runs');
  const settings = JSON.parse(chosen) as object;
  const unsaid = { loss: 'bpr', initialDeviation: 0.1, userGroup: 1, lengthExponent: 1 };
  expect(runs.rows).toEqual([{ settings, hyperparameters: { ...settings, ...unsaid }, compute: null }]);
  expect((await old.client.query('SELECT algorithm FROM model_versions')).rows).toEqual([{ algorithm: 'LIGHTGCN' }]);
});
