import type { CodegenConfig } from '@graphql-codegen/cli';

const config: CodegenConfig = {
  schema: '../gateway/api.graphql',
  documents: ['app/**/*.tsx', 'features/**/*.tsx', '!**/*.test.tsx'],
  generates: {
    './src/generated/': {
      preset: 'client',
      presetConfig: {
        persistedDocuments: true,
        skipIndexFile: true,
        fragmentMasking: { unmaskFunctionName: 'readFragment' },
      },
      config: {
        useTypeImports: true,
        enumsAsTypes: true,
        strictScalars: true,
        importExtension: '.ts',
        emitLegacyCommonJSImports: false,
        scalars: {
          DateTime: 'string',
          SafeInt: 'number',
          PropertyValue: 'string | number | boolean',
          JSONObject: 'Record<string, unknown>',
        },
      },
    },
  },
};

export default config;
