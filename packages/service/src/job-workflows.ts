import { AppError } from '@kindred/domain/app-error';
import type { TenantId } from '@kindred/domain/ids';
import type { JobId } from '@kindred/domain/jobs';
import type { WorkflowHandle } from '@temporalio/client';

/** A job, by its row. */
export interface JobKey {
  tenantId: TenantId;
  jobId: JobId;
}

/** The workflows that work on jobs: each job has one, ever. */
export interface JobWorkflows {
  /** Sees to it that the job's workflow was started, once. @throws AppError UNAVAILABLE when that cannot be found out. */
  start(job: JobKey): Promise<void>;
  /** `gone` when no workflow works on the job. @throws AppError UNAVAILABLE */
  cancel(job: JobKey): Promise<'sent' | 'gone'>;
  /** Rejects when Temporal does not answer. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

const CALL_TIMEOUT_MS = 5_000;

/** Connects with the first call, so that everything else is served while Temporal is away. */
export function connectJobWorkflows(options: {
  temporal: { address: string; namespace: string };
  workflowType: string;
  taskQueue: string;
  workflowIdOf: (job: JobKey) => string;
}): JobWorkflows {
  const { temporal, workflowType, taskQueue, workflowIdOf } = options;
  let opened: ReturnType<typeof open> | undefined;
  const connect = () => (opened ??= open(temporal));
  return {
    async start(job) {
      const start = {
        taskQueue,
        workflowId: workflowIdOf(job),
        workflowIdReusePolicy: 'REJECT_DUPLICATE' as const,
        // Where many wait for a worker, in turn with other tenants'.
        priority: { fairnessKey: job.tenantId },
      };
      const { client, inTime, isStarted } = await connect();
      try {
        await inTime(() => client.workflow.start(workflowType, { ...start, args: [job] }));
      } catch (cause) {
        if (!isStarted(cause)) throw unavailable(cause);
      }
    },
    cancel: async (job) => {
      const connected = await connect();
      return cancelOpen(connected, connected.client.workflow.getHandle(workflowIdOf(job)));
    },
    ping: async () => {
      const { connection, inTime } = await connect();
      await inTime(() => connection.workflowService.getSystemInfo({}));
    },
    close: async () => {
      await (await opened)?.connection.close();
    },
  };
}

/** Loading the client takes as long as the rest of a server's start: that is left to the first call. */
async function open({ address, namespace }: { address: string; namespace: string }) {
  const { Client, Connection, WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } = await import(
    '@temporalio/client'
  );
  const connection = Connection.lazy({ address });
  return {
    connection,
    client: new Client({ connection, namespace }),
    inTime: <T>(work: () => Promise<T>) => connection.withDeadline(Date.now() + CALL_TIMEOUT_MS, work),
    isStarted: (error: unknown) => error instanceof WorkflowExecutionAlreadyStartedError,
    isGone: (error: unknown) => error instanceof WorkflowNotFoundError,
  };
}

async function cancelOpen(
  { inTime, isGone }: Pick<Awaited<ReturnType<typeof open>>, 'inTime' | 'isGone'>,
  handle: WorkflowHandle,
): Promise<'sent' | 'gone'> {
  try {
    const { status } = await inTime(() => handle.describe());
    if (status.name !== 'RUNNING') return 'gone';
    await inTime(() => handle.cancel());
    return 'sent';
  } catch (cause) {
    if (isGone(cause)) return 'gone';
    throw unavailable(cause);
  }
}

function unavailable(cause: unknown): AppError {
  return new AppError('UNAVAILABLE', 'Long work cannot be reached at the moment; try again soon.', { cause });
}
