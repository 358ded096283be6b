import { randomBytes } from 'node:crypto';
import type { Db } from '@kindred/db/client';
import { decodeGlobalId } from '@kindred/domain/ids';
import { scopesOfRole, type Viewer } from '@kindred/domain/viewer';
import { INTERNAL_TOKEN_HEADER, signInternalToken } from '@kindred/service/internal-token';
import { createLogger } from '@kindred/service/logger';
import { createTestDatabase } from '@kindred/testing/test-database';
import { createSigningKey } from './access-tokens.ts';
import { startTenant } from './start-tenant.ts';

const SECRET = 'the internal token secret of the tests';

export const ANONYMOUS: Viewer = { kind: 'anonymous', scopes: [] };
export const SYSTEM: Viewer = { kind: 'system', scopes: [] };

interface Answer<Data> {
  data?: Data | null;
  errors?: { message: string; path?: (string | number)[]; extensions: { code: string } }[];
}

/** The tenant subgraph on a database of its own, asked over HTTP as the gateway asks it. */
export interface TestSubgraph extends AsyncDisposable {
  readonly db: Db;
  readonly url: string;
  ask<Data>(viewer: Viewer, query: string, variables?: object): Promise<Answer<Data>>;
  /** The data of an answer that has no errors. */
  read<Data>(viewer: Viewer, query: string, variables?: object): Promise<Data>;
}

export async function createTestSubgraph(): Promise<TestSubgraph> {
  const database = await createTestDatabase();
  const { db } = database;
  const env = { host: '127.0.0.1', port: 0, internalTokenSecret: SECRET };
  const secrets = {
    sessionSigningKey: await createSigningKey(),
    apiKeyPepper: 'the API key pepper of the tests, 32 chars',
  };
  const server = await startTenant({ db, env, secrets, logger: createLogger('tenant', 'error') });
  const ask = async <Data>(viewer: Viewer, query: string, variables: object = {}): Promise<Answer<Data>> => {
    const body = JSON.stringify({ query, variables });
    const token = signInternalToken(SECRET, { audience: 'tenant', viewer, body });
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

interface SignedUp {
  signUp: { session: { accessToken: string; viewer: { account: { id: string }; tenant: { id: string } } } };
}

const SIGN_UP = `mutation ($input: SignUpInput!) {
  signUp(input: $input) { session { accessToken viewer { account { id } tenant { id } } } }
}`;

/** A tenant that signed up over the API, with its owner's credentials. */
export async function signUpTenant(subgraph: TestSubgraph, fields: { tenantName?: string } = {}) {
  const email = `${randomBytes(6).toString('hex')}@example.com`;
  const password = 'correct horse battery';
  const input = { tenantName: 'Acme', displayName: 'Ann', email, password, ...fields };
  const { session } = (await subgraph.read<SignedUp>(ANONYMOUS, SIGN_UP, { input })).signUp;
  const { account, tenant } = session.viewer;
  const scopes = scopesOfRole('OWNER');
  const tenantId = decodeGlobalId('Tenant', tenant.id);
  const accountId = decodeGlobalId('Account', account.id);
  const viewer: Viewer = { kind: 'account', role: 'OWNER', scopes, tenantId, accountId };
  return { viewer, tenantId, accountId, email, password, accessToken: session.accessToken };
}
