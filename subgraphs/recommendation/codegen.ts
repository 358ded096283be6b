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
        contextType: '../context.ts#RecommendationContext',
        scalars: { _FieldSet: 'string', PropertyValue: 'string | number | boolean' },
        mappers: {
          Item: '../references.ts#ItemReference',
          ModelVersion: '../references.ts#ModelVersionReference',
          RecommendationConnection: '../answer.ts#Answer',
          RecommendationEdge: '../answer.ts#Edge',
        },
      },
    },
  },
};

export default config;
