import { createTestDatabase } from '@kindred/testing/test-database';
import { createTestTenant } from '@kindred/testing/test-tenant';
import { expect, test } from 'vitest';
import { readItemsOfUsers } from './interactions.ts';
import { withTenant } from './tenants.ts';
import { translateDatabaseError } from './translate-database-error.ts';

const UNAVAILABLE = { code: 'UNAVAILABLE', message: 'The database cannot be reached now; try again.' };

test('while the database is away whoever is connected and whoever comes is told to try again, then it answers again', async () => {
  await using database = await createTestDatabase();
  const { db } = database;
  const { tenantId } = await createTestTenant(db);
  const history = () => readItemsOfUsers(db, tenantId, { externalIds: ['user-1'], limit: 10 });
  const count = () => withTenant(db, tenantId, (tx) => tx.client.item.count());
  expect(await Promise.all([history(), count()])).toEqual([[], 0]);
  const started = Promise.withResolvers<void>();
  const asleep = withTenant(db, tenantId, async (tx) => {
    started.resolve();
    await tx.client.$queryRaw`SELECT pg_sleep(60)`;
  });
  const cut = expect(asleep).rejects.toMatchObject(UNAVAILABLE);
  await started.promise;
  await database.close();
  await cut;
  for (let time = 0; time < 3; time++) {
    await expect(history()).rejects.toMatchObject(UNAVAILABLE);
    await expect(count()).rejects.toMatchObject(UNAVAILABLE);
  }
  await database.open();
  expect(await Promise.all([history(), count()])).toEqual([[], 0]);
});

test.for([
  Object.assign(new Error('connect ECONNREFUSED 10.0.0.7:5432'), { code: 'ECONNREFUSED' }),
  new AggregateError([Object.assign(new Error('connect ECONNREFUSED ::1:5432'), { code: 'ECONNREFUSED' })]),
  Object.assign(new Error("Can't reach database server at 10.0.0.7:5432"), { code: 'P1001' }),
  new Error('Connection terminated unexpectedly'),
  new Error('timeout exceeded when trying to connect'),
])('%s says that the database is away', (error) => {
  expect(translateDatabaseError(error)).toMatchObject({ ...UNAVAILABLE, cause: error });
});

test.for([
  Object.assign(new Error('relation "nowhere" does not exist'), { code: '42P01' }),
  Object.assign(new Error('canceling statement due to statement timeout'), { code: '57014' }),
  Object.assign(new Error('cannot execute INSERT in a read-only transaction'), { code: '25006' }),
  new TypeError('rows is undefined'),
  new Error('There is no such run'),
  undefined,
])('%s stays what it is', (error) => {
  expect(translateDatabaseError(error)).toBe(error);
});
