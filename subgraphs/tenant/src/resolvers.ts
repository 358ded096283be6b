import { encodeGlobalId } from '@kindred/domain/ids';
import { requireSystem, requireTenant } from '@kindred/service/guards';
import { GraphQLDateTime } from 'graphql-scalars';
import { authenticateApiKey } from './authenticate-api-key.ts';
import { createApiKey } from './create-api-key.ts';
import type { Resolvers } from './generated/resolvers.ts';
import { listApiKeys } from './list-api-keys.ts';
import { resolveAccount, resolveApiKey, resolveTenant } from './references.ts';
import { refreshSession } from './refresh-session.ts';
import { revokeApiKey } from './revoke-api-key.ts';
import { rotateApiKey } from './rotate-api-key.ts';
import { signIn } from './sign-in.ts';
import { signOut, signOutEverywhere } from './sign-out.ts';
import { signUp } from './sign-up.ts';
import { findAccountOf, findTenantOf, identify } from './viewer-fields.ts';

/** Scopes are enforced by the server from the directives in schema.graphql. */
export const resolvers: Resolvers = {
  DateTime: GraphQLDateTime,
  Query: {
    viewer: (_root, _args, { viewer }) => identify(viewer),
    tenant: (_root, _args, context) => findTenantOf({ tenantId: requireTenant(context.viewer) }, context),
    authenticateApiKey: (_root, { apiKey }, context) => {
      requireSystem(context.viewer);
      return authenticateApiKey(context, apiKey);
    },
  },
  Mutation: {
    signUp: (_root, { input }, context) => signUp(context, input),
    signIn: (_root, { input }, context) => signIn(context, input),
    refreshSession: (_root, { input }, context) => refreshSession(context, input),
    signOut: (_root, { input }, context) => signOut(context, input),
    signOutEverywhere: (_root, _args, context) => signOutEverywhere(context),
    createApiKey: (_root, { input }, context) => createApiKey(context, input),
    rotateApiKey: (_root, { input }, context) => rotateApiKey(context, input),
    revokeApiKey: (_root, { input }, context) => revokeApiKey(context, input),
  },
  Viewer: {
    account: (viewer, _args, context) => findAccountOf(viewer, context),
    tenant: (viewer, _args, context) => findTenantOf(viewer, context),
    role: (viewer) => (viewer.kind === 'account' ? viewer.role : null),
    scopes: (viewer) => [...viewer.scopes],
  },
  Tenant: {
    __resolveReference: resolveTenant,
    id: (tenant) => encodeGlobalId('Tenant', tenant.id),
    apiKeys: (tenant, args, context) => listApiKeys(context, tenant, args),
  },
  Account: {
    __resolveReference: resolveAccount,
    id: (account) => encodeGlobalId('Account', account.id),
  },
  ApiKey: {
    __resolveReference: resolveApiKey,
    id: (apiKey) => encodeGlobalId('ApiKey', apiKey.id),
    scopes: (apiKey) => [...apiKey.scopes],
    allowedOrigins: (apiKey) => [...apiKey.allowedOrigins],
  },
  ApiKeyCredentials: {
    apiKeyId: (credentials) => encodeGlobalId('ApiKey', credentials.apiKeyId),
    tenantId: (credentials) => encodeGlobalId('Tenant', credentials.tenantId),
    scopes: (credentials) => [...credentials.scopes],
    allowedOrigins: (credentials) => [...credentials.allowedOrigins],
  },
};
