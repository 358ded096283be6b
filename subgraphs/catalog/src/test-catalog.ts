import type { Db } from '@kindred/db/client';
import type { Viewer } from '@kindred/domain/viewer';
import { INTERNAL_TOKEN_HEADER, signInternalToken } from '@kindred/service/internal-token';
import { createLogger } from '@kindred/service/logger';
import { createTestDatabase } from '@kindred/testing/test-database';
import { startCatalog } from './start-catalog.ts';

const SECRET = 'the internal token secret of the tests';

interface Answer<Data> {
  data?: Data | null;
  errors?: { message: string; path?: (string | number)[]; extensions: { code: string } }[];
}

/** The catalog subgraph on a database of its own, asked over HTTP as the gateway asks it. */
export interface TestCatalog extends AsyncDisposable {
  readonly db: Db;
  readonly url: string;
  ask<Data>(viewer: Viewer, query: string, variables?: object): Promise<Answer<Data>>;
  /** The data of an answer that has no errors. */
  read<Data>(viewer: Viewer, query: string, variables?: object): Promise<Data>;
}

export async function createTestCatalog(): Promise<TestCatalog> {
  const database = await createTestDatabase();
  const { db } = database;
  const env = { host: '127.0.0.1', port: 0, internalTokenSecret: SECRET };
  const server = await startCatalog({ db, env, logger: createLogger('catalog', 'error') });
  const ask = async <Data>(viewer: Viewer, query: string, variables: object = {}): Promise<Answer<Data>> => {
    const body = JSON.stringify({ query, variables });
    const token = signInternalToken(SECRET, { audience: 'catalog', viewer, body });
    const headers = { 'content-type': 'application/json', [INTERNAL_TOKEN_HEADER]: token };
    const response = await fetch(`${server.url}/graphql`, { method: 'POST', headers, body });
    return (await response.json()) as Answer<Data>;
  };
  return {
    db,
    url: server.url,
    ask,
    read: async <Data>(viewer: Viewer, query: string, variables?: object): Promise<Data> => {
      const { data, errors } = await ask<Data>(viewer, query, variables);
      if (errors !== undefined || data === undefined || data === null) throw new Error(JSON.stringify(errors));
      return data;
    },
    [Symbol.asyncDispose]: async () => {
      await server.drain();
      await database[Symbol.asyncDispose]();
    },
  };
}
