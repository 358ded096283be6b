import { type Cache, cacheExchange } from '@urql/exchange-graphcache';
import type { Exchange } from 'urql';

// These types have no id of their own: they are kept inside the object they belong to.
const EMBEDDED = [
  'ApiKeyConnection',
  'ApiKeyEdge',
  'AuditAnchor',
  'AuditChain',
  'AuditEvent',
  'AuditEventConnection',
  'AuditEventEdge',
  'BatchRecommendationConnection',
  'BatchRecommendationEdge',
  'BatchRecommendationEvent',
  'BatchRecommendationFile',
  'Canary',
  'CanarySettings',
  'CanarySide',
  'CatalogSummary',
  'ConfidenceInterval',
  'EpochProgress',
  'Evaluation',
  'Hyperparameters',
  'ImportConnection',
  'ImportEdge',
  'ImportError',
  'ImportErrorConnection',
  'ImportErrorEdge',
  'ImportEvent',
  'Interaction',
  'InteractionConnection',
  'InteractionEdge',
  'ItemConnection',
  'ItemEdge',
  'Member',
  'MemberConnection',
  'MemberEdge',
  'ModelConnection',
  'ModelEdge',
  'Money',
  'PageInfo',
  'Plan',
  'PublishedDocumentConnection',
  'PublishedDocumentEdge',
  'QualityCheck',
  'QualityGate',
  'RankingMetrics',
  'Reason',
  'RecommendationConnection',
  'RecommendationEdge',
  'RetentionPolicy',
  'StageTiming',
  'TrainingCompute',
  'TrainingEvent',
  'TrainingRunConnection',
  'TrainingRunEdge',
  'TrainingSchedule',
  'TuningConnection',
  'TuningEdge',
  'TuningEvent',
  'TuningSetting',
  'TuningTrial',
  'TuningTrialConnection',
  'TuningTrialEdge',
  'UnitPrices',
  'Usage',
  'UsageDay',
  'UserConnection',
  'UserEdge',
  'UserError',
  'Variant',
  'VectorIndexSummary',
  'Viewer',
  'WebhookConnection',
  'WebhookDeliveryConnection',
  'WebhookDeliveryEdge',
  'WebhookEdge',
] as const;

/** Forgets every answer of the root fields named, so that pages that show them ask again. */
function forget(cache: Cache, ...fieldNames: string[]): void {
  for (const field of cache.inspectFields('Query')) {
    if (fieldNames.includes(field.fieldName)) cache.invalidate('Query', field.fieldKey);
  }
}

/** The normalised cache: an object fetched or streamed anywhere is up to date everywhere. */
export function graphCache(): Exchange {
  return cacheExchange({
    keys: {
      ...Object.fromEntries(EMBEDDED.map((type) => [type, () => null])),
      PublishedDocument: ({ documentId }) => (typeof documentId === 'string' ? documentId : null),
    },
    updates: {
      Mutation: {
        createModel: (_result, _args, cache) => forget(cache, 'models'),
        trainModel: (_result, _args, cache) => forget(cache, 'models', 'model', 'trainingRuns'),
        tuneModel: (_result, _args, cache) => forget(cache, 'model'),
        batchRecommend: (_result, _args, cache) => forget(cache, 'model'),
        startImport: (_result, _args, cache) => forget(cache, 'imports'),
        createApiKey: (_result, _args, cache) => forget(cache, 'tenant'),
        revokeApiKey: (_result, _args, cache) => forget(cache, 'tenant'),
        createWebhook: (_result, _args, cache) => forget(cache, 'tenant'),
        deleteWebhook: (_result, _args, cache) => forget(cache, 'tenant', 'webhook'),
        withdrawDocuments: (_result, _args, cache) => forget(cache, 'tenant'),
        recordInteractions: (_result, _args, cache) => forget(cache, 'user', 'tenant'),
      },
    },
  });
}
