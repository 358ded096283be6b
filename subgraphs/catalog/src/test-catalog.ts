import type { Db } from '@kindred/db/client';
import { connectEventBus } from '@kindred/service/event-bus';
import { createLogger } from '@kindred/service/logger';
import { connectUserHistories, type UserHistories } from '@kindred/service/user-histories';
import { testInfrastructure } from '@kindred/testing/infrastructure';
import { createSubgraphClient, type SubgraphClient, TEST_SERVER_ENV } from '@kindred/testing/subgraph-client';
import { createTestDatabase } from '@kindred/testing/test-database';
import { startCatalog } from './start-catalog.ts';

/** The catalog subgraph on a database of its own, asked over HTTP as the gateway asks it. */
export interface TestCatalog extends AsyncDisposable, SubgraphClient {
  readonly db: Db;
  readonly url: string;
  /** Of the database, as its owner. */
  readonly ownerUrl: string;
  readonly histories: UserHistories;
}

export async function createTestCatalog(): Promise<TestCatalog> {
  const database = await createTestDatabase();
  const { db } = database;
  const { redisUrl } = testInfrastructure();
  const events = connectEventBus(redisUrl);
  const histories = connectUserHistories(redisUrl);
  const server = await startCatalog({
    db,
    events,
    histories,
    env: TEST_SERVER_ENV,
    logger: createLogger('catalog', 'error'),
    itemCacheBytes: 2 ** 20,
  });
  return {
    db,
    url: server.url,
    ownerUrl: database.ownerUrl,
    histories,
    ...createSubgraphClient({ name: 'catalog', url: server.url }),
    [Symbol.asyncDispose]: async () => {
      await server.drain();
      await events.close();
      histories.close();
      await database[Symbol.asyncDispose]();
    },
  };
}
