import { connectJobWorkflows, type JobWorkflows } from '@kindred/service/job-workflows';
import { type BATCH_RECOMMEND, jobWorkflowId, TASK_QUEUES, type TUNE_MODEL } from '@kindred/workflows/contract';

/** The workflows of this type, which work on jobs of models. */
export function connectJobs(
  temporal: { address: string; namespace: string },
  workflowType: typeof TUNE_MODEL | typeof BATCH_RECOMMEND,
): JobWorkflows {
  return connectJobWorkflows({
    temporal,
    workflowType,
    taskQueue: TASK_QUEUES.workflows,
    workflowIdOf: jobWorkflowId,
  });
}
