import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { createTestDatabase } from '@kindred/testing/test-database';
import { PrismaPg } from '@prisma/adapter-pg';
import { bindMigrationAwareSqlAdapterFactory, ColumnTypeEnum } from '@prisma/driver-adapter-utils';
import { SchemaEngine } from '@prisma/schema-engine-wasm';
import { Pool, type QueryArrayConfig, type QueryArrayResult, types } from 'pg';
import { expect, test } from 'vitest';

const CHAR: number = types.builtins.CHAR;
const TEXT: number = types.builtins.TEXT;

/** Prisma's adapter, able to read PostgreSQL's one-byte type "char", which the engine asks for and 7.10.0 refuses. */
class CatalogueAdapter extends PrismaPg {
  readonly #charColumns = new Set<string>();

  constructor(pool: Pool) {
    super(pool);
    const query = pool.query.bind(pool) as (config: QueryArrayConfig) => Promise<QueryArrayResult>;
    Object.assign(pool, {
      query: async (config: QueryArrayConfig) => {
        const result = await query(config);
        for (const field of result.fields.filter((each) => each.dataTypeID === CHAR)) {
          field.dataTypeID = TEXT;
          this.#charColumns.add(field.name);
        }
        return result;
      },
    });
  }

  override async connect(): ReturnType<PrismaPg['connect']> {
    const adapter = await super.connect();
    const queryRaw = adapter.queryRaw.bind(adapter);
    return Object.assign(adapter, {
      queryRaw: async (query: Parameters<typeof queryRaw>[0]) => {
        const result = await queryRaw(query);
        const columnTypes = result.columnTypes.map((type, column) =>
          this.#charColumns.has(result.columnNames[column] ?? '') ? ColumnTypeEnum.Character : type,
        );
        return { ...result, columnTypes };
      },
    });
  }
}

/** The migration that would make the database what schema.prisma says; the engine ignores policies and partitions. */
async function findDrift(url: string): Promise<string | null> {
  const content = await readFile(path.join(import.meta.dirname, '..', 'schema.prisma'), 'utf8');
  const files = [{ path: 'schema.prisma', content }];
  const pool = new Pool({ connectionString: url });
  const factory = bindMigrationAwareSqlAdapterFactory(new CatalogueAdapter(pool));
  const engine = await SchemaEngine.new({ datamodels: [['schema.prisma', content]] }, () => undefined, factory);
  try {
    const { stdout } = await engine.diff({
      from: { tag: 'schemaDatasource', files, configDir: '.' },
      to: { tag: 'schemaDatamodel', files },
      script: true,
      exitCode: null,
      filters: { externalTables: [], externalEnums: [] },
    });
    return stdout;
  } finally {
    engine.free();
    await pool.end();
  }
}

test('schema.prisma and the migrations describe the same tables', async () => {
  await using database = await createTestDatabase();
  expect(await findDrift(database.ownerUrl)).toContain('This is an empty migration.');
});

test.each([
  ['ALTER TABLE items ADD COLUMN colour text', 'DROP COLUMN "colour"'],
  ['ALTER TABLE items ALTER COLUMN title DROP NOT NULL', 'ALTER COLUMN "title" SET NOT NULL'],
  ['DROP INDEX training_runs_one_open_per_model', 'CREATE UNIQUE INDEX "training_runs_one_open_per_model"'],
  ['ALTER TABLE interactions DROP CONSTRAINT interactions_tenant_id_item_id_fkey', 'ADD CONSTRAINT'],
  ["ALTER TYPE role ADD VALUE 'GUEST'", 'role'],
])('a change such as "%s" is seen as drift', async (change, correction) => {
  await using database = await createTestDatabase();
  const pool = new Pool({ connectionString: database.ownerUrl });
  await pool.query(change);
  await pool.end();
  expect(await findDrift(database.ownerUrl)).toContain(correction);
});
