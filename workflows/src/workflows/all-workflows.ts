/** What the worker of the queue `workflows` runs: the SDK takes every export of this file for a workflow. */
export { importData } from './import-data.ts';
export { retrainOnSchedule } from './retrain-on-schedule.ts';
export { trainModel } from './train-model.ts';
export { tuneModel, tuneTrial } from './tune-model.ts';
