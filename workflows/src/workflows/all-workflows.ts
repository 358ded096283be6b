/** What the worker of the queue `workflows` runs: the SDK takes every export of this file for a workflow. */
export { batchRecommend } from './batch-recommend.ts';
export { deliverWebhook } from './deliver-webhook.ts';
export { enforceRetention } from './enforce-retention.ts';
export { eraseUser } from './erase-user.ts';
export { exportUserData } from './export-user-data.ts';
export { importData } from './import-data.ts';
export { retrainOnSchedule } from './retrain-on-schedule.ts';
export { trainModel } from './train-model.ts';
export { tuneModel, tuneTrial } from './tune-model.ts';
export { verifyErasure } from './verify-erasure.ts';
