import { randomBytes } from 'node:crypto';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Db } from '@kindred/db/client';
import { decodeGlobalId } from '@kindred/domain/ids';
import { scopesOfRole, type Viewer } from '@kindred/domain/viewer';
import type { TargetRules } from '@kindred/service/post-publicly';
import { connectRedis } from '@kindred/service/redis';
import { testInfrastructure } from '@kindred/testing/infrastructure';
import { createLogger } from '@kindred/service/logger';
import { openObjectStore, type ObjectStore } from '@kindred/service/object-store';
import { createSubgraphClient, type SubgraphClient, TEST_SERVER_ENV } from '@kindred/testing/subgraph-client';
import { createTestDatabase } from '@kindred/testing/test-database';
import { createSigningKey } from './access-tokens.ts';
import { connectPrivacyWorkflows } from './privacy-workflows.ts';
import { startTenant } from './start-tenant.ts';
import { DEFAULT_PRICES } from './usage-cost.ts';

export const ANONYMOUS: Viewer = { kind: 'anonymous', scopes: [] };
export const SYSTEM: Viewer = { kind: 'system', scopes: [] };

/** The tenant subgraph on a database of its own, asked over HTTP as the gateway asks it. */
export interface TestSubgraph extends AsyncDisposable, SubgraphClient {
  readonly db: Db;
  readonly objects: ObjectStore;
  readonly url: string;
  /** Of the database, as its owner. */
  readonly ownerUrl: string;
}

export async function createTestSubgraph(
  options: { redisUrl?: string; targetRules?: TargetRules; temporalNamespace?: string } = {},
): Promise<TestSubgraph> {
  const { redisUrl, temporalAddress } = { ...testInfrastructure(), ...options };
  const { targetRules, temporalNamespace = 'default' } = options;
  const database = await createTestDatabase();
  const { db } = database;
  const secrets = {
    sessionSigningKeys: [await createSigningKey()] as const,
    apiKeyPepper: 'the API key pepper of the tests, 32 chars',
  };
  const redis = connectRedis(redisUrl);
  const logger = createLogger('tenant', 'error');
  const folder = await mkdtempDisposable(join(tmpdir(), 'kindred-tenant-'));
  const objects = openObjectStore({ url: pathToFileURL(folder.path).href });
  const privacy = connectPrivacyWorkflows({ address: temporalAddress, namespace: temporalNamespace });
  const deps = { db, redis, privacy, objects, env: TEST_SERVER_ENV, secrets, prices: DEFAULT_PRICES, logger };
  const server = await startTenant({ ...deps, ...(targetRules && { targetRules }) });
  return {
    db,
    objects,
    ownerUrl: database.ownerUrl,
    url: server.url,
    ...createSubgraphClient({ name: 'tenant', url: server.url }),
    [Symbol.asyncDispose]: async () => {
      await server.drain();
      await privacy.close();
      redis.disconnect();
      await folder[Symbol.asyncDispose]();
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
