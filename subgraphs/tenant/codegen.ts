import type { CodegenConfig } from '@graphql-codegen/cli';

const config: CodegenConfig = {
  schema: 'schema.graphql',
  generates: {
    'src/generated/resolvers.ts': {
      plugins: ['typescript', 'typescript-resolvers'],
      config: {
        federation: true,
        useTypeImports: true,
        enumsAsTypes: true,
        strictScalars: true,
        avoidOptionals: { defaultValue: true },
        contextType: '../context.ts#TenantContext',
        scalars: { DateTime: 'Date', SafeInt: 'number', _FieldSet: 'string' },
        mappers: {
          Tenant: '@kindred/db/tenants#TenantRow',
          Account: '@kindred/db/accounts#AccountRow',
          ApiKey: '@kindred/db/api-keys#ApiKeyRow',
          Member: '@kindred/db/members#MemberRow',
          AuditEvent: '@kindred/db/audit-log#AuditEventRow',
          AuditAnchor: '@kindred/db/audit-log#AuditAnchorRow',
          Invitation: '@kindred/db/invitations#InvitationRow',
          Webhook: '@kindred/db/webhooks#WebhookRow',
          WebhookDelivery: '@kindred/db/webhooks#WebhookDeliveryRow',
          ApiKeyCredentials: '@kindred/db/api-keys#KnownApiKey',
          Plan: '../plans.ts#NamedPlan',
          PublishedDocument: '@kindred/db/published-documents#PublishedDocumentRow',
          Erasure: '@kindred/db/erasures#ErasureRow',
          ErasureReceiptLine: '@kindred/db/erasure-receipts#ReadReceiptLine',
          UserExport: '@kindred/db/user-exports#UserExportRow',
          Viewer: '../context.ts#TenantViewer',
        },
      },
    },
  },
};

export default config;
