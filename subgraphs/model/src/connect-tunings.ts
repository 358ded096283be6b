import { connectJobWorkflows, type JobWorkflows } from '@kindred/service/job-workflows';
import { jobWorkflowId, TASK_QUEUES, TUNE_MODEL } from '@kindred/workflows/contract';

/** The workflows that tune models. */
export function connectTunings(temporal: { address: string; namespace: string }): JobWorkflows {
  return connectJobWorkflows({
    temporal,
    workflowType: TUNE_MODEL,
    taskQueue: TASK_QUEUES.workflows,
    workflowIdOf: jobWorkflowId,
  });
}
