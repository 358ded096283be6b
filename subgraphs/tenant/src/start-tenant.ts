import { readFile } from 'node:fs/promises';
import type { Db } from '@kindred/db/client';
import type { ObjectStore } from '@kindred/service/object-store';
import type { Redis } from '@kindred/service/redis';
import { PUBLIC_TARGETS, type TargetRules } from '@kindred/service/post-publicly';
import { startSubgraph, type RunningServer, type SubgraphOptions } from '@kindred/service/subgraph-server';
import { createAccessTokens, type SessionSigningKeys } from './access-tokens.ts';
import { createContext, type TenantContext, type TenantServices } from './context.ts';
import { addExportRoute } from './export-route.ts';
import { createPasswords } from './passwords.ts';
import type { PrivacyWorkflows } from './privacy-workflows.ts';
import { resolvers } from './resolvers.ts';
import { createSignInThrottle } from './sign-in-throttle.ts';
import type { PriceList } from './usage-cost.ts';

/** Serves the tenant subgraph over a database, a Redis, a store of objects and workflows that stay their caller's to close. */
export async function startTenant(options: {
  db: Db;
  redis: Redis;
  privacy: PrivacyWorkflows;
  objects: ObjectStore;
  logger: SubgraphOptions<TenantContext>['logger'];
  env: SubgraphOptions<TenantContext>['env'];
  /** Where webhooks may lead; left out: to the public internet over HTTPS. */
  targetRules?: TargetRules;
  secrets: { sessionSigningKeys: SessionSigningKeys; apiKeyPepper: string };
  prices: PriceList;
}): Promise<RunningServer> {
  const { db, redis, privacy, objects, logger, env, secrets, prices, targetRules = PUBLIC_TARGETS } = options;
  const accessTokens = await createAccessTokens(secrets.sessionSigningKeys);
  const services: TenantServices = {
    db,
    accessTokens,
    passwords: await createPasswords(),
    signInThrottle: createSignInThrottle(redis),
    apiKeyPepper: secrets.apiKeyPepper,
    targetRules,
    prices,
    privacy,
    objects,
  };
  return startSubgraph<TenantContext>({
    name: 'tenant',
    typeDefs: await readFile(new URL('../schema.graphql', import.meta.url), 'utf8'),
    resolvers,
    env,
    logger,
    createContext: (viewer, { clientAddress }) => createContext(services, { viewer, clientAddress }),
    // Redis counts attempts to sign in; all else goes on without it.
    readiness: { postgres: () => db.ping() },
    routes: (app) => {
      addExportRoute(app, services);
      app.get('/.well-known/jwks.json', (_request, response) => {
        response.set('Cache-Control', 'public, max-age=300').json(accessTokens.keySet);
      });
    },
  });
}
