import { readFile } from 'node:fs/promises';
import type { Db } from '@kindred/db/client';
import { startSubgraph, type RunningServer, type SubgraphOptions } from '@kindred/service/subgraph-server';
import { createAccessTokens, type SessionSigningKey } from './access-tokens.ts';
import { createContext, type TenantContext, type TenantServices } from './context.ts';
import { createPasswords } from './passwords.ts';
import { resolvers } from './resolvers.ts';

/** Serves the tenant subgraph over a database that stays its caller's to close. */
export async function startTenant(options: {
  db: Db;
  logger: SubgraphOptions<TenantContext>['logger'];
  env: SubgraphOptions<TenantContext>['env'];
  secrets: { sessionSigningKey: SessionSigningKey; apiKeyPepper: string };
}): Promise<RunningServer> {
  const { db, logger, env, secrets } = options;
  const accessTokens = await createAccessTokens(secrets.sessionSigningKey);
  const services: TenantServices = {
    db,
    accessTokens,
    passwords: await createPasswords(),
    apiKeyPepper: secrets.apiKeyPepper,
  };
  return startSubgraph<TenantContext>({
    name: 'tenant',
    typeDefs: await readFile(new URL('../schema.graphql', import.meta.url), 'utf8'),
    resolvers,
    env,
    logger,
    createContext: (viewer) => createContext(services, viewer),
    readiness: { postgres: () => db.ping() },
    routes: (app) => {
      app.get('/.well-known/jwks.json', (_request, response) => {
        response.set('Cache-Control', 'public, max-age=300').json(accessTokens.keySet);
      });
    },
  });
}
