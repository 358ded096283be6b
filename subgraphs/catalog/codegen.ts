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
        contextType: '../context.ts#CatalogContext',
        scalars: { DateTime: 'Date', JSONObject: 'Record<string, unknown>', _FieldSet: 'string' },
        mappers: {
          Item: '@kindred/db/items#ItemRow',
          User: '@kindred/db/users#UserRow',
          Interaction: '@kindred/db/interactions#InteractionRow',
          Tenant: '../references.ts#TenantReference',
          Import: '../imports.ts#ImportRow',
          ImportError: '@kindred/db/import-errors#ImportErrorRow',
          ImportEvent: '@kindred/domain/jobs#JobEvent',
        },
      },
    },
  },
};

export default config;
