import { AppError } from '@kindred/domain/app-error';
import { type BatchRecommendationId, encodeGlobalId } from '@kindred/domain/ids';
import { fileOf } from './batches.ts';
import type { Resolvers } from './generated/resolvers.ts';
import { resolveBatch } from './references.ts';

/** The types of batches of recommendations. */
export const batchResolvers: Pick<Resolvers, 'BatchRecommendation' | 'BatchRecommendationEvent'> = {
  BatchRecommendation: {
    __resolveReference: resolveBatch,
    id: (batch) => encodeGlobalId('BatchRecommendation', batch.id),
    model: async ({ id, modelId }, _args, { loaders }) => {
      const model = modelId && (await loaders.models.load(modelId));
      if (!model) throw new AppError('NOT_FOUND', `The model of the batch ${id} was deleted meanwhile.`);
      return model;
    },
    count: ({ order }) => order.count,
    userCount: ({ state }) => state.userCount ?? null,
    doneCount: ({ state }) => state.doneCount ?? 0,
    skippedCount: ({ state }) => state.skippedCount ?? 0,
    file: (batch) => fileOf(batch),
  },
  BatchRecommendationEvent: {
    at: (event) => new Date(event.at),
    kind: (event) => event.body.kind,
    message: (event) => event.body.message,
    batchRecommendation: async ({ jobId }, _args, { loaders }) => {
      const batch = await loaders.batches.load(jobId as BatchRecommendationId);
      if (batch === null) throw new AppError('NOT_FOUND', `The batch ${jobId} was deleted meanwhile.`);
      return batch;
    },
  },
};
