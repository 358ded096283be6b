import { AppError } from '@kindred/domain/app-error';
import { encodeGlobalId, type TuningId } from '@kindred/domain/ids';
import type { Resolvers } from './generated/resolvers.ts';
import { resolveTuning } from './references.ts';
import { findBestTrial, listTrialsOf } from './tunings.ts';

/** The types of tunings. */
export const tuningResolvers: Pick<Resolvers, 'Tuning' | 'TuningTrial' | 'TuningEvent'> = {
  Tuning: {
    __resolveReference: resolveTuning,
    id: (tuning) => encodeGlobalId('Tuning', tuning.id),
    model: async ({ id, modelId }, _args, { loaders }) => {
      const model = modelId && (await loaders.models.load(modelId));
      if (!model) throw new AppError('NOT_FOUND', `The model of the tuning ${id} was deleted meanwhile.`);
      return model;
    },
    trialCount: ({ order }) => order.trialCount,
    trials: (tuning, args, context) => listTrialsOf(context, tuning, args),
    best: (tuning, _args, context) => findBestTrial(context, tuning),
    appliedAt: ({ state }) => (state.appliedAt == null ? null : new Date(state.appliedAt)),
  },
  TuningTrial: {
    settings: ({ settings }) =>
      Object.entries(settings).flatMap(([name, value]) => (typeof value === 'number' ? [{ name, value }] : [])),
    ndcgAt10: ({ curve }) => (curve.length === 0 ? null : Math.max(...curve)),
  },
  TuningEvent: {
    at: (event) => new Date(event.at),
    kind: (event) => event.body.kind,
    message: (event) => event.body.message,
    tuning: async ({ jobId }, _args, { loaders }) => {
      const tuning = await loaders.tunings.load(jobId as TuningId);
      if (tuning === null) throw new AppError('NOT_FOUND', `The tuning ${jobId} was deleted meanwhile.`);
      return tuning;
    },
  },
};
