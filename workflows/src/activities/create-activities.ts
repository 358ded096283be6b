import type { ObjectStore } from '@kindred/service/object-store';
import type { EventDeps } from '../record-event.ts';
import { admitRun } from './admit-run.ts';
import { buildIndex } from './build-index.ts';
import { checkData } from './check-data.ts';
import { evaluateModel } from './evaluate-model.ts';
import { exportSnapshot } from './export-snapshot.ts';
import { finishRun } from './finish-run.ts';
import { fitInstantModel } from './fit-instant-model.ts';
import { judgeVersion } from './judge-version.ts';
import { noteDevice } from './note-device.ts';
import { noteSteering } from './note-steering.ts';
import { promoteVersion } from './promote-version.ts';
import { queueScheduledRun } from './queue-scheduled-run.ts';
import { startCanary } from './start-canary.ts';
import { trainEmbeddings } from './train-embeddings.ts';
import { watchCanary } from './watch-canary.ts';

/** What activities work with. */
export interface ActivityDeps extends EventDeps {
  objects: ObjectStore;
}

/** The activities of the queue `data`: short, with the database and the object store. */
export function createDataActivities(deps: ActivityDeps) {
  return {
    admitRun: bind(deps, admitRun),
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
  };
}

/** The activities of the queues `train-cpu` and `train-gpu`: long, with everything the machine has. */
export function createComputeActivities(deps: ActivityDeps) {
  return {
    fitInstantModel: bind(deps, fitInstantModel),
    trainEmbeddings: bind(deps, trainEmbeddings),
    evaluateModel: bind(deps, evaluateModel),
    buildIndex: bind(deps, buildIndex),
  };
}

/** The activities of the queue `train-gpu-presence`: what answers is a worker with this GPU. */
export function createPresenceActivities(gpuName: string) {
  return { describeGpu: async () => gpuName };
}

export type PresenceActivities = ReturnType<typeof createPresenceActivities>;
export type DataActivities = ReturnType<typeof createDataActivities>;
export type ComputeActivities = ReturnType<typeof createComputeActivities>;

function bind<Input, Output>(
  deps: ActivityDeps,
  activity: (deps: ActivityDeps, input: Input) => Output,
): (input: Input) => Output {
  return (input) => activity(deps, input);
}
