import { AppError } from '@kindred/domain/app-error';
import { decodeGlobalId, encodeGlobalId, type TrainingRunId } from '@kindred/domain/ids';
import type { TrainingEvent } from '@kindred/domain/training';
import { GraphQLDateTime } from 'graphql-scalars';
import { batchResolvers } from './batch-resolvers.ts';
import { batchRecommend, cancelBatchRecommendation } from './batch-recommend.ts';
import { listBatches, subscribeToBatch } from './batches.ts';
import { clickThroughRate, sideOf } from './canary-sides.ts';
import { configureCanary } from './configure-canary.ts';
import { createModel } from './create-model.ts';
import type { Resolvers } from './generated/resolvers.ts';
import { resolveByCatalog, showHyperparameters } from './hyperparameters.ts';
import { listModels, listTrainingRuns } from './list-pages.ts';
import { abortCanary, promoteModelVersion, rollbackModel } from './promote-model-version.ts';
import { resolveModel, resolveModelVersion, resolveTrainingRun } from './references.ts';
import { messageOf } from './event-message.ts';
import { scheduleTraining, unscheduleTraining } from './schedule-training.ts';
import { cancelTrainingRun, pauseTrainingRun, resumeTrainingRun, stopTrainingRun } from './steer-training-run.ts';
import { trainModel } from './train-model.ts';
import { listEvents, subscribeToProgress } from './training-events.ts';
import { applyTuning, cancelTuning, tuneModel } from './tune-model.ts';
import { tuningResolvers } from './tuning-resolvers.ts';
import { listTunings, subscribeToTuning } from './tunings.ts';

/** Scopes are enforced by the server from the directives in schema.graphql. */
export const resolvers: Resolvers = {
  DateTime: GraphQLDateTime,
  LossFunction: { BPR: 'bpr', SOFTMAX: 'softmax' },
  ComputeBackend: { REFERENCE: 'reference', NATIVE: 'native', WEBGPU: 'webgpu', TFJS: 'tfjs' },
  Query: {
    model: (_root, { id }, { loaders }) => loaders.models.load(decodeGlobalId('Model', id)),
    models: (_root, args, context) => listModels(context, args),
    trainingRun: (_root, { id }, { loaders }) => loaders.runs.load(decodeGlobalId('TrainingRun', id)),
    tuning: (_root, { id }, { loaders }) => loaders.tunings.load(decodeGlobalId('Tuning', id)),
    batchRecommendation: (_root, { id }, { loaders }) =>
      loaders.batches.load(decodeGlobalId('BatchRecommendation', id)),
    trainingRuns: (_root, args, context) => listTrainingRuns(context, args),
  },
  Mutation: {
    createModel: (_root, { input }, context) => createModel(context, input),
    trainModel: (_root, { input }, context) => trainModel(context, input),
    pauseTrainingRun: (_root, { input }, context) => pauseTrainingRun(context, input),
    resumeTrainingRun: (_root, { input }, context) => resumeTrainingRun(context, input),
    stopTrainingRun: (_root, { input }, context) => stopTrainingRun(context, input),
    cancelTrainingRun: (_root, { input }, context) => cancelTrainingRun(context, input),
    promoteModelVersion: (_root, { input }, context) => promoteModelVersion(context, input),
    configureCanary: (_root, { input }, context) => configureCanary(context, input),
    abortCanary: (_root, { input }, context) => abortCanary(context, input),
    rollbackModel: (_root, { input }, context) => rollbackModel(context, input),
    scheduleTraining: (_root, { input }, context) => scheduleTraining(context, input),
    unscheduleTraining: (_root, { input }, context) => unscheduleTraining(context, input),
    tuneModel: (_root, { input }, context) => tuneModel(context, input),
    cancelTuning: (_root, { input }, context) => cancelTuning(context, input),
    applyTuning: (_root, { input }, context) => applyTuning(context, input),
    batchRecommend: (_root, { input }, context) => batchRecommend(context, input),
    cancelBatchRecommendation: (_root, { input }, context) => cancelBatchRecommendation(context, input),
  },
  Subscription: {
    trainingProgress: { subscribe: (_root, args, context) => subscribeToProgress(context, args) },
    tuningProgress: { subscribe: (_root, args, context) => subscribeToTuning(context, args) },
    batchRecommendationProgress: { subscribe: (_root, args, context) => subscribeToBatch(context, args) },
  },
  Model: {
    __resolveReference: resolveModel,
    id: (model) => encodeGlobalId('Model', model.id),
    hyperparameters: async ({ settings, tenantId }, _args, { loaders }) =>
      showHyperparameters(resolveByCatalog(settings, await loaders.catalogCounts.load(tenantId)), settings),
    tenant: (model) => ({ id: encodeGlobalId('Tenant', model.tenantId) }),
    activeVersion: (model, _args, { loaders }) => loaders.activeVersions.load(model.id),
    previousVersion: (model, _args, { loaders }) => loaders.previousVersions.load(model.id),
    canarySettings: (model) => model.canary,
    canary: async (model, _args, { loaders }) => {
      const canary = await loaders.runningCanary.load(model.tenantId);
      const version = canary && (await loaders.versions.load(canary.versionId));
      return version?.modelId === model.id ? canary : null;
    },
    runs: (model, args, context) => listTrainingRuns(context, { ...args, modelId: model.id }),
    tunings: (model, args, context) => listTunings(context, model, args),
    batchRecommendations: (model, args, context) => listBatches(context, model, args),
  },
  ...tuningResolvers,
  ...batchResolvers,
  TrainingRun: {
    __resolveReference: resolveTrainingRun,
    id: (run) => encodeGlobalId('TrainingRun', run.id),
    model: async (run, _args, { loaders }) => present(await loaders.models.load(run.modelId), run.modelId),
    hyperparameters: async ({ hyperparameters, settings, tenantId }, _args, { loaders }) =>
      showHyperparameters(
        hyperparameters ?? resolveByCatalog(settings, await loaders.catalogCounts.load(tenantId)),
        settings,
      ),
    version: async (run, _args, { loaders }) => {
      const versions = await loaders.versionsByRun.load(run.id);
      return versions.find(({ algorithm }) => algorithm !== 'SPECTRAL') ?? null;
    },
    queuePosition: async ({ id, status }, _args, { loaders }) =>
      status === 'QUEUED' ? (await loaders.runsAhead.load(id)) + 1 : null,
    versions: (run, _args, { loaders }) => loaders.versionsByRun.load(run.id),
    workflowUrl: (run, _args, { trainings }) => trainings.urlOf(run),
    events: (run, args, context) => listEvents(context, run, args),
  },
  TrainingEvent: {
    at: (event) => new Date(event.at),
    kind: (event) => event.body.kind,
    run: async (event, _args, { loaders }) =>
      present(await loaders.runs.load(event.runId as TrainingRunId), event.runId),
    phase: ({ body }) => (body.kind === 'PHASE_STARTED' ? body.phase : null),
    epoch: ({ body }) => (body.kind === 'EPOCH_FINISHED' ? body : null),
    evaluation: ({ body }) => evaluationOf(body),
    message: ({ body }) => messageOf(body),
  },
  ModelVersion: {
    __resolveReference: resolveModelVersion,
    id: (version) => encodeGlobalId('ModelVersion', version.id),
    model: async (version, _args, { loaders }) => present(await loaders.models.load(version.modelId), version.modelId),
    run: async (version, _args, { loaders }) => present(await loaders.runs.load(version.runId), version.runId),
    baselines: (version) => version.baselines.map((baseline) => ({ ...baseline, heldOut: 'TEST' as const })),
    index: (version) => version.indexSummary,
    canary: (version, _args, { loaders }) => loaders.canaries.load(version.id),
  },
  Canary: {
    version: async ({ versionId }, _args, { loaders }) => present(await loaders.versions.load(versionId), versionId),
    trial: async (canary, _args, { loaders }) => sideOf(canary, 'CANARY', await loaders.canaryCounts.load(canary)),
    control: async (canary, _args, { loaders }) => sideOf(canary, 'CONTROL', await loaders.canaryCounts.load(canary)),
  },
  CanarySide: {
    version: async ({ versionId }, _args, { loaders }) => present(await loaders.versions.load(versionId), versionId),
    clickThroughRate,
  },
};

function evaluationOf(body: TrainingEvent['body']) {
  if (body.kind === 'BASELINE_EVALUATED') {
    return { name: body.name, heldOut: body.heldOut, metrics: body.metrics };
  }
  return body.kind === 'MODEL_EVALUATED' ? { name: 'LIGHTGCN', heldOut: body.heldOut, metrics: body.metrics } : null;
}

/** What a row refers to exists, unless it was deleted while the request ran. */
function present<Row>(row: Row | null, id: string): Row {
  if (row === null) {
    throw new AppError('NOT_FOUND', `What ${id} named was deleted meanwhile.`);
  }
  return row;
}
