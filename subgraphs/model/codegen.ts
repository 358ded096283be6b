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
        scalars: { DateTime: 'Date', _FieldSet: 'string', federation__FieldSet: 'string' },
        enumValues: {
          LossFunction: { BPR: 'bpr', SOFTMAX: 'softmax' },
          ComputeBackend: { REFERENCE: 'reference', NATIVE: 'native', WEBGPU: 'webgpu', TFJS: 'tfjs' },
        },
        contextType: '../context.ts#ModelContext',
        mappers: {
          Hyperparameters: '../hyperparameters.ts#ShownHyperparameters',
          Model: '@kindred/db/models#ModelRow',
          TrainingRun: '@kindred/db/training-runs#TrainingRunRow',
          ModelVersion: '@kindred/db/model-versions#ModelVersionRow',
          Canary: '@kindred/db/canaries#CanaryRow',
          CanarySide: '../canary-sides.ts#CanarySide as SideOfCanary',
          Tuning: '../tunings.ts#TuningRow',
          TuningTrial: '@kindred/db/tuning-trials#TrialRow',
          TuningEvent: '@kindred/domain/jobs#JobEvent',
          BatchRecommendation: '../batches.ts#BatchRow',
          BatchRecommendationEvent: '@kindred/domain/jobs#JobEvent',
          TrainingEvent: '@kindred/domain/training#TrainingEvent as StoredTrainingEvent',
        },
      },
    },
  },
};

export default config;
