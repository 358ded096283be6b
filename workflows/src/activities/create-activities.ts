import type { ObjectStore } from '@kindred/service/object-store';
import type { UserHistories } from '@kindred/service/user-histories';
import type { EventDeps } from '../record-event.ts';
import { buildIndex } from './build-index.ts';
import { checkData } from './check-data.ts';
import { checkImport } from './check-import.ts';
import { failTrial, finishTuning } from './end-tuning.ts';
import { evaluateModel } from './evaluate-model.ts';
import { exportSnapshot } from './export-snapshot.ts';
import { finishImport } from './finish-import.ts';
import { finishRun } from './finish-run.ts';
import { fitInstantModel } from './fit-instant-model.ts';
import { judgeVersion } from './judge-version.ts';
import { noteSteering } from './note-steering.ts';
import { openImport } from './open-import.ts';
import { openTuning } from './open-tuning.ts';
import { promoteVersion } from './promote-version.ts';
import { queueScheduledRun } from './queue-scheduled-run.ts';
import { runTrial } from './run-trial.ts';
import { trainEmbeddings } from './train-embeddings.ts';
import { writeImport } from './write-import.ts';

/** What activities work with. */
export interface ActivityDeps extends EventDeps {
  objects: ObjectStore;
  histories: Pick<UserHistories, 'add'>;
}

/** The activities of the queue `data`: short, with the database and the object store. */
export function createDataActivities(deps: ActivityDeps) {
  return {
    checkData: bind(deps, checkData),
    exportSnapshot: bind(deps, exportSnapshot),
    judgeVersion: bind(deps, judgeVersion),
    noteSteering: bind(deps, noteSteering),
    promoteVersion: bind(deps, promoteVersion),
    queueScheduledRun: bind(deps, queueScheduledRun),
    finishRun: bind(deps, finishRun),
    openImport: bind(deps, openImport),
    checkImport: bind(deps, checkImport),
    writeImport: bind(deps, writeImport),
    finishImport: bind(deps, finishImport),
    openTuning: bind(deps, openTuning),
    failTrial: bind(deps, failTrial),
    finishTuning: bind(deps, finishTuning),
  };
}

/** The activities of the queue `train-cpu`: long, with all cores. */
export function createComputeActivities(deps: ActivityDeps) {
  return {
    fitInstantModel: bind(deps, fitInstantModel),
    trainEmbeddings: bind(deps, trainEmbeddings),
    evaluateModel: bind(deps, evaluateModel),
    buildIndex: bind(deps, buildIndex),
    runTrial: bind(deps, runTrial),
  };
}

export type DataActivities = ReturnType<typeof createDataActivities>;
export type ComputeActivities = ReturnType<typeof createComputeActivities>;

function bind<Input, Output>(
  deps: ActivityDeps,
  activity: (deps: ActivityDeps, input: Input) => Output,
): (input: Input) => Output {
  return (input) => activity(deps, input);
}
