import { encodeGlobalId } from '@kindred/domain/ids';
import { requireSystem, requireTenant } from '@kindred/service/guards';
import { GraphQLDateTime } from 'graphql-scalars';
import { acceptInvitation } from './accept-invitation.ts';
import { actorIdOf, actorKindOf } from './audit.ts';
import { authenticateApiKey } from './authenticate-api-key.ts';
import { changeMemberRole, removeMember } from './change-members.ts';
import { createApiKey } from './create-api-key.ts';
import { enterTenant, switchTenant } from './enter-tenant.ts';
import type { Resolvers } from './generated/resolvers.ts';
import { inviteMember, revokeInvitation } from './invite-member.ts';
import { listApiKeys } from './list-api-keys.ts';
import { listAuditEvents, listMembers } from './list-members.ts';
import { resolveAccount, resolveApiKey, resolveTenant } from './references.ts';
import { findPublished, publishDocuments } from './publish-documents.ts';
import { refreshSession } from './refresh-session.ts';
import { revokeApiKey } from './revoke-api-key.ts';
import { rotateApiKey } from './rotate-api-key.ts';
import { signIn } from './sign-in.ts';
import { signOut } from './sign-out.ts';
import { signUp } from './sign-up.ts';
import { findAccountOf, findMemberAccount, findTenantOf, identify } from './viewer-fields.ts';
import {
  createWebhook,
  deleteWebhook,
  listDeliveries,
  listWebhooks,
  rotateWebhookSecret,
  testWebhook,
} from './webhooks.ts';

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
    publishedDocument: (_root, { digest }, context) => findPublished(context, digest),
  },
  Mutation: {
    signUp: (_root, { input }, context) => signUp(context, input),
    signIn: (_root, { input }, context) => signIn(context, input),
    refreshSession: (_root, { input }, context) => refreshSession(context, input),
    signOut: (_root, { input }, context) => signOut(context, input),
    switchTenant: (_root, { input }, context) => switchTenant(context, input),
    enterTenant: (_root, { input }, context) => enterTenant(context, input),
    inviteMember: (_root, { input }, context) => inviteMember(context, input),
    revokeInvitation: (_root, { input }, context) => revokeInvitation(context, input),
    acceptInvitation: (_root, { input }, context) => acceptInvitation(context, input),
    changeMemberRole: (_root, { input }, context) => changeMemberRole(context, input),
    removeMember: (_root, { input }, context) => removeMember(context, input),
    createWebhook: (_root, { input }, context) => createWebhook(context, input),
    rotateWebhookSecret: (_root, { input }, context) => rotateWebhookSecret(context, input.webhookId),
    deleteWebhook: (_root, { input }, context) => deleteWebhook(context, input.webhookId),
    testWebhook: (_root, { input }, context) => testWebhook(context, input.webhookId),
    createApiKey: (_root, { input }, context) => createApiKey(context, input),
    rotateApiKey: (_root, { input }, context) => rotateApiKey(context, input),
    revokeApiKey: (_root, { input }, context) => revokeApiKey(context, input),
    publishDocuments: (_root, { input }, context) => publishDocuments(context, input),
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
    members: (tenant, args, context) => listMembers(context, tenant, args),
    webhooks: (tenant, args, context) => listWebhooks(context, tenant, args),
    auditEvents: (tenant, args, context) => listAuditEvents(context, tenant, args),
  },
  Member: {
    account: (member, _args, context) => findMemberAccount(member, context),
    joinedAt: (member) => member.createdAt,
  },
  Invitation: {
    id: (invitation) => encodeGlobalId('Invitation', invitation.id),
  },
  Webhook: {
    id: (webhook) => encodeGlobalId('Webhook', webhook.id),
    deliveries: (webhook, args, context) => listDeliveries(context, webhook, args),
  },
  WebhookDelivery: {
    id: (delivery) => encodeGlobalId('WebhookDelivery', delivery.id),
  },
  AuditEvent: {
    sequence: (event) => Number(event.sequence),
    actorKind: actorKindOf,
    actorId: actorIdOf,
    details: (event) => JSON.stringify(event.details),
    hash: (event) => Buffer.from(event.hash).toString('hex'),
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
