import { verifyTenantAuditLog } from '@kindred/db/verify-audit-log';
import { decodeGlobalId, encodeGlobalId } from '@kindred/domain/ids';
import { requireSystem, requireTenant } from '@kindred/service/guards';
import { GraphQLDateTime, GraphQLSafeInt } from 'graphql-scalars';
import { acceptInvitation } from './accept-invitation.ts';
import { actorIdOf, actorKindOf } from './audit.ts';
import { authenticateApiKey } from './authenticate-api-key.ts';
import { changeMemberRole, removeMember } from './change-members.ts';
import { changePlan } from './change-plan.ts';
import { createApiKey } from './create-api-key.ts';
import { documentIdOf } from './document-id.ts';
import { enterTenant, switchTenant } from './enter-tenant.ts';
import { eraseUser, findErasure, listErasures, readReceipt, scopeOf, statusOf, verifyErasure } from './erasures.ts';
import type { Resolvers } from './generated/resolvers.ts';
import { inviteMember, revokeInvitation } from './invite-member.ts';
import { listApiKeys } from './list-api-keys.ts';
import { listAuditEvents, listMembers } from './list-members.ts';
import { listPublishedDocuments } from './list-published-documents.ts';
import { planOf } from './plans.ts';
import { findPublisherAccount, findPublisherKey } from './publishers.ts';
import { readUsage } from './read-usage.ts';
import { findTenantAllowance, recordUsage } from './record-usage.ts';
import { resolveAccount, resolveApiKey, resolveTenant } from './references.ts';
import { findPublished, publishDocuments } from './publish-documents.ts';
import { refreshSession } from './refresh-session.ts';
import { readRetention, setRetention } from './retention.ts';
import { revokeApiKey } from './revoke-api-key.ts';
import { rotateApiKey } from './rotate-api-key.ts';
import { signIn } from './sign-in.ts';
import { signOut } from './sign-out.ts';
import { signUp } from './sign-up.ts';
import { redeliverWebhook, testWebhook } from './try-webhook.ts';
import { downloadPathOf, exportStatusOf, exportUserData, findExport } from './user-exports.ts';
import { findAccountOf, findMemberAccount, findTenantOf, identify } from './viewer-fields.ts';
import {
  createWebhook,
  deleteWebhook,
  enableWebhook,
  listDeliveries,
  listWebhooks,
  readWebhook,
  rotateWebhookSecret,
} from './webhooks.ts';
import { withdrawDocuments } from './withdraw-documents.ts';

/** Scopes are enforced by the server from the directives in schema.graphql. */
export const resolvers: Resolvers = {
  DateTime: GraphQLDateTime,
  SafeInt: GraphQLSafeInt,
  Query: {
    viewer: (_root, _args, { viewer }) => identify(viewer),
    tenant: (_root, _args, context) => findTenantOf({ tenantId: requireTenant(context.viewer) }, context),
    webhook: (_root, { id }, context) => readWebhook(context, id),
    erasure: (_root, { id }, context) => findErasure(context, decodeGlobalId('Erasure', id)),
    erasures: (_root, args, context) => listErasures(context, args),
    userExport: (_root, { id }, context) => findExport(context, decodeGlobalId('UserExport', id)),
    authenticateApiKey: (_root, { apiKey }, context) => {
      requireSystem(context.viewer);
      return authenticateApiKey(context, apiKey);
    },
    usage: (_root, { month }, context) => readUsage(context, month),
    tenantAllowance: (_root, args, context) => {
      requireSystem(context.viewer);
      return findTenantAllowance(context, args);
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
    rotateWebhookSecret: (_root, { input }, context) => rotateWebhookSecret(context, input),
    deleteWebhook: (_root, { input }, context) => deleteWebhook(context, input),
    enableWebhook: (_root, { input }, context) => enableWebhook(context, input),
    testWebhook: (_root, { input }, context) => testWebhook(context, input),
    redeliverWebhook: (_root, { input }, context) => redeliverWebhook(context, input),
    exportUserData: (_root, { input }, context) => exportUserData(context, input),
    eraseUser: (_root, { input }, context) => eraseUser(context, input),
    verifyErasure: (_root, { input }, context) => verifyErasure(context, input),
    setRetention: (_root, { input }, context) => setRetention(context, input),
    createApiKey: (_root, { input }, context) => createApiKey(context, input),
    rotateApiKey: (_root, { input }, context) => rotateApiKey(context, input),
    revokeApiKey: (_root, { input }, context) => revokeApiKey(context, input),
    changePlan: (_root, { input }, context) => changePlan(context, input),
    recordUsage: (_root, { input }, context) => {
      requireSystem(context.viewer);
      return recordUsage(context, input);
    },
    publishDocuments: (_root, { input }, context) => publishDocuments(context, input),
    withdrawDocuments: (_root, { input }, context) => withdrawDocuments(context, input),
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
    retention: (tenant, _args, context) => readRetention(context, tenant),
    auditEvents: (tenant, args, context) => listAuditEvents(context, tenant, args),
    publishedDocuments: (tenant, args, context) => listPublishedDocuments(context, tenant, args),
    plan: (tenant) => planOf(tenant.plan),
    auditChain: (tenant, _args, { db }) => verifyTenantAuditLog(db, tenant.id),
  },
  PublishedDocument: {
    documentId: ({ digest }) => documentIdOf(digest),
    text: ({ body }) => body,
    publishedBy: (document, _args, context) => findPublisherAccount(document, context),
    publishedByKey: (document, _args, context) => findPublisherKey(document, context),
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
    messageId: (delivery) => encodeGlobalId('WebhookEvent', delivery.eventId),
  },
  Erasure: {
    id: (erasure) => encodeGlobalId('Erasure', erasure.id),
    subject: (erasure) => toHex(erasure.subject),
    status: statusOf,
    receiptHash: (erasure) => erasure.receiptHash && toHex(erasure.receiptHash),
    receipt: (erasure, _args, context) => readReceipt(erasure, context),
  },
  ErasureReceiptLine: {
    scope: scopeOf,
    status: (line) => (line.rowCount === 0 ? 'NOTHING_HELD' : 'ERASED'),
    evidence: (line) => toHex(line.evidence),
    hash: (line) => toHex(line.hash),
  },
  UserExport: {
    id: (row) => encodeGlobalId('UserExport', row.id),
    status: exportStatusOf,
    sha256: (row) => row.sha256 && toHex(row.sha256),
    downloadPath: (row, _args, context) => downloadPathOf(row, context),
  },
  AuditEvent: {
    sequence: (event) => Number(event.sequence),
    actorKind: actorKindOf,
    actorId: actorIdOf,
    details: (event) => JSON.stringify(event.details),
    hash: (event) => toHex(event.hash),
  },
  AuditAnchor: {
    sequence: (anchor) => Number(anchor.sequence),
    hash: (anchor) => toHex(anchor.hash),
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

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
