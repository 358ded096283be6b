import type { Db } from '@kindred/db/client';
import { createTestDatabase } from './test-database.ts';
import { createTestTenant, type TestTenant } from './test-tenant.ts';

/** Two tenants in a database of their own: what one writes, the other must never see. */
export interface TwoTenants extends AsyncDisposable {
  db: Db;
  ours: TestTenant;
  theirs: TestTenant;
}

export async function createTwoTenants(): Promise<TwoTenants> {
  const database = await createTestDatabase();
  const { db } = database;
  const ours = await createTestTenant(db, 'Ours');
  const theirs = await createTestTenant(db, 'Theirs');
  return { db, ours, theirs, [Symbol.asyncDispose]: () => database[Symbol.asyncDispose]() };
}
