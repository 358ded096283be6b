import type { ModelId, ModelVersionId, TenantId, TrainingRunId } from '@kindred/domain/ids';

/** The task queues of the default pool of workers: one process per queue. */
export const TASK_QUEUES = { workflows: 'workflows', data: 'data', 'train-cpu': 'train-cpu' } as const;

export type TaskQueue = keyof typeof TASK_QUEUES;

/**
 * The task queues of a pool of workers that shares no work with any other: `pool` is appended to every name.
 * A workflow hands its activities to the pool it was started in.
 */
export function taskQueuesOfPool(pool: string): Record<TaskQueue, string> {
  return {
    workflows: `${TASK_QUEUES.workflows}${pool}`,
    data: `${TASK_QUEUES.data}${pool}`,
    'train-cpu': `${TASK_QUEUES['train-cpu']}${pool}`,
  };
}

/** The queues beside the `workflows` queue that a workflow runs on. */
export function taskQueuesBeside(workflowsQueue: string): Record<TaskQueue, string> {
  return taskQueuesOfPool(workflowsQueue.slice(TASK_QUEUES.workflows.length));
}

/** The type name of the workflow that trains a model, from preflight to promotion. */
export const TRAIN_MODEL = 'trainModel';

/** A run that exists as a row in QUEUED, and whose it is. */
export interface TrainModelInput {
  tenantId: TenantId;
  runId: TrainingRunId;
  modelId: ModelId;
}

/** What a training that succeeded ends with. */
export interface TrainModelOutcome {
  versionId: ModelVersionId;
}

/** One open training per model: two starts at once meet in this id, and Temporal lets one through. */
export function trainModelWorkflowId(tenantId: TenantId, modelId: ModelId): string {
  return `tenant/${tenantId}/model/${modelId}/training`;
}

/** The least that a training can learn from and be measured on. */
export const MINIMUM_DATA = { userCount: 5, itemCount: 10, interactionCount: 50 } as const;
