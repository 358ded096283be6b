import type { ObjectStore } from '@kindred/service/object-store';
import type { Redis } from '@kindred/service/redis';
import type { UserHistories } from '@kindred/service/user-histories';
import type { EventDeps } from '../record-event.ts';
import { admitRun } from './admit-run.ts';
import { admitBatch, admitTrial } from './admit-job.ts';
import { attemptDelivery, type DeliveryDeps, giveUpDelivery } from './attempt-delivery.ts';
import { buildIndex } from './build-index.ts';
import { checkData } from './check-data.ts';
import { checkErasure } from './check-erasure.ts';
import { checkImport } from './check-import.ts';
import { expireBatch, finishBatch } from './end-batch.ts';
import { failTrial, finishTuning } from './end-tuning.ts';
import { findRetentionTenants, pruneTenant } from './enforce-retention.ts';
import { eraseFromVersions } from './erase-from-versions.ts';
import { eraseHistories } from './erase-histories.ts';
import { eraseLeftovers } from './erase-leftovers.ts';
import { eraseRows } from './erase-rows.ts';
import { evaluateModel } from './evaluate-model.ts';
import { exportSnapshot } from './export-snapshot.ts';
import { expireExport, exportUserData } from './export-user-data.ts';
import { finishImport } from './finish-import.ts';
import { finishRun } from './finish-run.ts';
import { fitInstantModel } from './fit-instant-model.ts';
import { forgetInServing } from './forget-in-serving.ts';
import { judgeVersion } from './judge-version.ts';
import { chargeRun, chargeTuning, meterCpu } from './meter-cpu.ts';
import { noteDevice } from './note-device.ts';
import { noteSteering } from './note-steering.ts';
import { openImport } from './open-import.ts';
import { openTuning } from './open-tuning.ts';
import { promoteVersion } from './promote-version.ts';
import { pruneAuditEvents } from './prune-audit-events.ts';
import { pruneUploads } from './prune-uploads.ts';
import { queueRetraining } from './queue-retraining.ts';
import { queueScheduledRun } from './queue-scheduled-run.ts';
import { recommendBatch } from './recommend-batch.ts';
import { runTrial } from './run-trial.ts';
import { sealErasure } from './seal-erasure.ts';
import { startCanary } from './start-canary.ts';
import { trainEmbeddings } from './train-embeddings.ts';
import { watchCanary } from './watch-canary.ts';
import { writeImport } from './write-import.ts';

/** What activities work with. */
export interface ActivityDeps extends EventDeps {
  objects: ObjectStore;
  redis: Redis;
  histories: Pick<UserHistories, 'forget'>;
}

/** The activities of the queue `data`: short, with the database and the object store. */
export function createDataActivities(deps: ActivityDeps & DeliveryDeps) {
  return {
    admitRun: bind(deps, admitRun),
    admitTrial: bind(deps, admitTrial),
    admitBatch: bind(deps, admitBatch),
    attemptDelivery: bind(deps, attemptDelivery),
    checkData: bind(deps, checkData),
    exportSnapshot: bind(deps, exportSnapshot),
    judgeVersion: bind(deps, judgeVersion),
    noteDevice: bind(deps, noteDevice),
    noteSteering: bind(deps, noteSteering),
    promoteVersion: bind(deps, promoteVersion),
    queueScheduledRun: bind(deps, queueScheduledRun),
    startCanary: bind(deps, startCanary),
    watchCanary: bind(deps, watchCanary),
    finishRun: bind(deps, finishRun),
    giveUpDelivery: bind(deps, giveUpDelivery),
    eraseRows: bind(deps, eraseRows),
    eraseHistories: bind(deps, eraseHistories),
    eraseFromVersions: bind(deps, eraseFromVersions),
    forgetInServing: bind(deps, forgetInServing),
    eraseLeftovers: bind(deps, eraseLeftovers),
    queueRetraining: bind(deps, queueRetraining),
    sealErasure: bind(deps, sealErasure),
    checkErasure: bind(deps, checkErasure),
    exportUserData: bind(deps, exportUserData),
    expireExport: bind(deps, expireExport),
    findRetentionTenants: () => findRetentionTenants(deps),
    pruneTenant: bind(deps, pruneTenant),
    pruneAuditEvents: bind(deps, pruneAuditEvents),
    pruneUploads: () => pruneUploads(deps),
    openImport: bind(deps, openImport),
    checkImport: bind(deps, checkImport),
    writeImport: bind(deps, writeImport),
    finishImport: bind(deps, finishImport),
    openTuning: bind(deps, openTuning),
    failTrial: bind(deps, failTrial),
    finishTuning: bind(deps, finishTuning),
    recommendBatch: bind(deps, recommendBatch),
    finishBatch: bind(deps, finishBatch),
    expireBatch: bind(deps, expireBatch),
  };
}

/** The activities of the queues `train-cpu` and `train-gpu`: long, with everything the machine has. */
export function createComputeActivities(deps: ActivityDeps) {
  return {
    fitInstantModel: meterCpu(deps, bind(deps, fitInstantModel), chargeRun),
    trainEmbeddings: meterCpu(deps, bind(deps, trainEmbeddings), chargeRun),
    evaluateModel: meterCpu(deps, bind(deps, evaluateModel), chargeRun),
    buildIndex: meterCpu(deps, bind(deps, buildIndex), chargeRun),
    runTrial: meterCpu(deps, bind(deps, runTrial), chargeTuning),
  };
}

/** The activities of the queue `train-gpu-presence`: what answers is a worker with this GPU. */
export function createPresenceActivities(gpuName: string) {
  return { describeGpu: async () => gpuName };
}

export type PresenceActivities = ReturnType<typeof createPresenceActivities>;
export type DataActivities = ReturnType<typeof createDataActivities>;
export type ComputeActivities = ReturnType<typeof createComputeActivities>;

function bind<Deps, Input, Output>(
  deps: Deps,
  activity: (deps: Deps, input: Input) => Output,
): (input: Input) => Output {
  return (input) => activity(deps, input);
}
