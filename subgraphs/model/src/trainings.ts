import { AppError } from '@kindred/domain/app-error';
import type { ModelId, TenantId } from '@kindred/domain/ids';
import { TASK_QUEUES, TRAIN_MODEL, type TrainModelInput, trainModelWorkflowId } from '@kindred/workflows/contract';
import { Client, Connection, WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client';

/** The training workflows, of which a model has at most one at a time. */
export interface Trainings {
  /**
   * Sees to it that the run's workflow is started, once; `busy` while the model's last one has not closed.
   * @throws AppError UNAVAILABLE when that cannot be found out in time.
   */
  start(input: TrainModelInput): Promise<'started' | 'busy'>;
  /** Whether the model's workflow is under way. @throws AppError UNAVAILABLE */
  isUnderWay(tenantId: TenantId, modelId: ModelId): Promise<boolean>;
  /** Rejects when Temporal does not answer. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

const CALL_TIMEOUT_MS = 5000;

/** Connects with the first call, so that everything else is served while Temporal is away. */
export function connectTrainings({ address, namespace }: { address: string; namespace: string }): Trainings {
  const connection = Connection.lazy({ address });
  const client = new Client({ connection, namespace });
  const inTime = <T>(work: () => Promise<T>) => connection.withDeadline(Date.now() + CALL_TIMEOUT_MS, work);
  const describe = (tenantId: TenantId, modelId: ModelId) =>
    inTime(() => client.workflow.getHandle(trainModelWorkflowId(tenantId, modelId)).describe());
  return {
    async start(input) {
      const options = {
        taskQueue: TASK_QUEUES.workflows,
        workflowId: trainModelWorkflowId(input.tenantId, input.modelId),
        workflowIdConflictPolicy: 'FAIL' as const,
        args: [input],
        memo: { runId: input.runId },
      };
      try {
        await inTime(() => client.workflow.start(TRAIN_MODEL, options));
        return 'started';
      } catch (cause) {
        if (!(cause instanceof WorkflowExecutionAlreadyStartedError)) {
          throw unavailable(cause);
        }
        const { memo } = await describe(input.tenantId, input.modelId);
        return memo?.runId === input.runId ? 'started' : 'busy';
      }
    },
    async isUnderWay(tenantId, modelId) {
      try {
        return (await describe(tenantId, modelId)).status.name === 'RUNNING';
      } catch (cause) {
        if (cause instanceof WorkflowNotFoundError) {
          return false;
        }
        throw unavailable(cause);
      }
    },
    ping: async () => void (await inTime(() => connection.workflowService.getSystemInfo({}))),
    close: () => connection.close(),
  };
}

function unavailable(cause: unknown): AppError {
  return new AppError('UNAVAILABLE', 'Trainings cannot be started at the moment; try again soon.', { cause });
}
