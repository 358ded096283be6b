import { upsertItems } from '@kindred/db/items';
import { withTenant } from '@kindred/db/tenants';
import { createTestTenant } from '@kindred/testing/test-tenant';
import { expect, test } from 'vitest';
import { writeImport } from '../activities/write-import.ts';
import type { ImportDataInput } from '../contract.ts';
import { importFile } from '../testing/import-world.ts';
import { runWorkers } from '../testing/run-workers.ts';
import { openTrainingWorld } from '../testing/training-world.ts';

test('a step that fails behind its last batch is tried again after twice the time, and counts nothing twice', async () => {
  await using world = await openTrainingWorld();
  const startedAt: number[] = [];
  await using _ = await runWorkers(world, {
    writeImport: async (input: ImportDataInput) => {
      startedAt.push(performance.now());
      const written = await writeImport(world.deps, input);
      if (startedAt.length < 3) throw new Error('The worker lost its connection.');
      return written;
    },
  });
  const { tenantId } = await createTestTenant(world.deps.db);
  await withTenant(world.deps.db, tenantId, (tx) =>
    upsertItems(tx, [{ externalId: 'item', title: 'Item', categories: [], properties: {} }]),
  );
  const row = '{"userExternalId":"user","itemExternalId":"item","type":"VIEW"}';
  const { row: ended, errors } = await importFile(world, tenantId, {
    kind: 'INTERACTIONS',
    format: 'JSONL',
    errorPolicy: 'REJECT_FAILED_ROWS',
    content: [row, '{}', row].join('\n'),
  });
  expect(ended).toMatchObject({ status: 'SUCCEEDED', state: { rowCount: 3, writtenCount: 2, failedCount: 1 } });
  expect(errors).toHaveLength(1);
  const count = await withTenant(world.deps.db, tenantId, (tx) => tx.client.interaction.count({ where: { tenantId } }));
  expect(count).toBe(2);
  const [first = 0, second = 0, third = 0] = startedAt;
  expect(startedAt).toHaveLength(3);
  expect(second - first).toBeGreaterThan(990);
  expect(third - second).toBeGreaterThan(1_990);
}, 300_000);
