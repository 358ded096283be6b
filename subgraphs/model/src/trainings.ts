import { AppError } from '@kindred/domain/app-error';
import type { ModelId, TenantId, TrainingRunId } from '@kindred/domain/ids';
import type { TrainingSchedule } from '@kindred/domain/training';
import {
  STEERING_SIGNALS,
  type SteeringRequest,
  type SteeringSignal,
  TASK_QUEUES,
  TRAIN_MODEL,
  type TrainModelInput,
  trainingStart,
  trainModelWorkflowId,
} from '@kindred/workflows/contract';
import {
  Client,
  Connection,
  WorkflowExecutionAlreadyStartedError,
  type WorkflowExecutionDescription,
  type WorkflowHandle,
  WorkflowNotFoundError,
} from '@temporalio/client';
import { applySchedule } from './retraining-schedule.ts';

/** A run, by its row. */
interface RunRef {
  tenantId: TenantId;
  modelId: ModelId;
  id: TrainingRunId;
}

/** The training workflows, of which a model has at most one at a time. */
export interface Trainings {
  /**
   * Sees to it that the run's workflow is started, once; `busy` while the model's last one has not closed.
   * @throws AppError UNAVAILABLE when that cannot be found out in time.
   */
  start(input: TrainModelInput): Promise<'started' | 'busy'>;
  /** Whether the model's workflow is under way. @throws AppError UNAVAILABLE */
  isUnderWay(tenantId: TenantId, modelId: ModelId): Promise<boolean>;
  /** Steers exactly this run; `gone` when no workflow works on it. @throws AppError UNAVAILABLE */
  signal(run: RunRef, signal: SteeringSignal, request: SteeringRequest): Promise<'sent' | 'gone'>;
  /** Cancels exactly this run; `gone` when no workflow works on it. @throws AppError UNAVAILABLE */
  cancel(run: RunRef): Promise<'sent' | 'gone'>;
  /** Makes the model's schedule what is said, whatever it was; null takes it away. @throws AppError UNAVAILABLE */
  applySchedule(model: { tenantId: TenantId; modelId: ModelId }, schedule: TrainingSchedule | null): Promise<void>;
  /** Where operators see this execution in Temporal's web interface; null where none is known. */
  urlOf(run: RunRef & { executionId: string | null }): string | null;
  /** Rejects when Temporal does not answer. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

const CALL_TIMEOUT_MS = 5000;

/** Connects with the first call, so that everything else is served while Temporal is away. */
export function connectTrainings(temporal: { address: string; namespace: string; uiUrl?: string | null }): Trainings {
  const { address, namespace, uiUrl = null } = temporal;
  const connection = Connection.lazy({ address });
  const client = new Client({ connection, namespace });
  const inTime = <T>(work: () => Promise<T>) => connection.withDeadline(Date.now() + CALL_TIMEOUT_MS, work);
  const describe = (tenantId: TenantId, modelId: ModelId) =>
    inTime(() => client.workflow.getHandle(trainModelWorkflowId(tenantId, modelId)).describe());
  const tell = (run: RunRef, message: (handle: WorkflowHandle) => Promise<unknown>) =>
    tellRun(run, {
      describe: () => describe(run.tenantId, run.modelId),
      send: (workflowId, executionId) => inTime(() => message(client.workflow.getHandle(workflowId, executionId))),
    });
  return {
    async start(input) {
      const options = {
        ...trainingStart(input),
        taskQueue: TASK_QUEUES.workflows,
        workflowIdConflictPolicy: 'FAIL' as const,
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
    signal: (run, signal, request) => tell(run, (handle) => handle.signal(STEERING_SIGNALS[signal], request)),
    cancel: (run) => tell(run, (handle) => handle.cancel()),
    async applySchedule(model, schedule) {
      try {
        await inTime(() => applySchedule(client.schedule, model, schedule));
      } catch (cause) {
        throw unavailable(cause);
      }
    },
    urlOf: (run) => (uiUrl === null ? null : urlOf(run, `${uiUrl}/namespaces/${encodeURIComponent(namespace)}`)),
    ping: async () => void (await inTime(() => connection.workflowService.getSystemInfo({}))),
    close: () => connection.close(),
  };
}

/** The workflow's id is the model's: only the execution that was started for this very run is told. */
async function tellRun(
  run: RunRef,
  temporal: {
    describe: () => Promise<WorkflowExecutionDescription>;
    send: (workflowId: string, executionId: string) => Promise<unknown>;
  },
): Promise<'sent' | 'gone'> {
  try {
    const { memo, runId, workflowId, status } = await temporal.describe();
    if (memo?.runId !== run.id || status.name !== 'RUNNING') {
      return 'gone';
    }
    await temporal.send(workflowId, runId);
    return 'sent';
  } catch (cause) {
    if (cause instanceof WorkflowNotFoundError) {
      return 'gone';
    }
    throw unavailable(cause);
  }
}

function urlOf(
  { tenantId, modelId, executionId }: RunRef & { executionId: string | null },
  namespaceUrl: string,
): string | null {
  const workflow = encodeURIComponent(trainModelWorkflowId(tenantId, modelId));
  return executionId && `${namespaceUrl}/workflows/${workflow}/${executionId}/history`;
}

function unavailable(cause: unknown): AppError {
  return new AppError('UNAVAILABLE', 'Trainings cannot be reached at the moment; try again soon.', { cause });
}
