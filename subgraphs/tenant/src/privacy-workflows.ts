import { AppError } from '@kindred/domain/app-error';
import type { ErasureCheck, ErasureRef } from '@kindred/domain/user-events';
import {
  ERASE_USER,
  EXPORT_USER_DATA,
  type ExportUserDataInput,
  eraseUserWorkflowId,
  exportUserDataWorkflowId,
  TASK_QUEUES,
  VERIFY_ERASURE,
} from '@kindred/workflows/contract';

/** The workflows that forget users and copy what is kept of them. Each call is one, however often it is repeated. */
export interface PrivacyWorkflows {
  /** @throws AppError UNAVAILABLE when Temporal does not take it. */
  startErasure(input: ErasureRef): Promise<void>;
  /** @throws AppError UNAVAILABLE when Temporal does not take it. */
  startExport(input: ExportUserDataInput): Promise<void>;
  /** What every store holds of an erased user now. @throws AppError UNAVAILABLE when it is not found out in time. */
  verify(input: ErasureRef): Promise<ErasureCheck[]>;
  close(): Promise<void>;
}

const CALL_TIMEOUT_MS = 5_000;
/** Every byte of the tenant's files is looked at. */
const VERIFY_TIMEOUT_MS = 20_000;

/** Connects with the first call, so that everything else is served while Temporal is away. */
export function connectPrivacyWorkflows(temporal: { address: string; namespace: string }): PrivacyWorkflows {
  let opened: ReturnType<typeof open> | undefined;
  const connect = () => (opened ??= open(temporal));
  const start = async (type: string, workflowId: string, input: object): Promise<void> => {
    const options = {
      taskQueue: TASK_QUEUES.workflows,
      workflowId,
      workflowIdReusePolicy: 'REJECT_DUPLICATE' as const,
      args: [input],
    };
    const { client, connection, isStarted } = await connect();
    try {
      await connection.withDeadline(Date.now() + CALL_TIMEOUT_MS, () => client.workflow.start(type, options));
    } catch (cause) {
      if (!isStarted(cause)) throw unavailable(cause);
    }
  };
  return {
    startErasure: (input) => start(ERASE_USER, eraseUserWorkflowId(input), input),
    startExport: (input) => start(EXPORT_USER_DATA, exportUserDataWorkflowId(input), input),
    verify: async (input) => {
      const options = {
        taskQueue: TASK_QUEUES.workflows,
        workflowId: `${eraseUserWorkflowId(input)}/verification`,
        // Who asks while somebody else does gets the same answer.
        workflowIdConflictPolicy: 'USE_EXISTING' as const,
        args: [input],
      };
      const { client, connection } = await connect();
      try {
        const work = () => client.workflow.execute(VERIFY_ERASURE, options);
        return (await connection.withDeadline(Date.now() + VERIFY_TIMEOUT_MS, work)) as ErasureCheck[];
      } catch (cause) {
        throw unavailable(cause);
      }
    },
    close: async () => {
      await (await opened)?.connection.close();
    },
  };
}

/** Loading the client takes as long as the rest of the subgraph's start: that is left to the first call. */
async function open({ address, namespace }: { address: string; namespace: string }) {
  const { Client, Connection, WorkflowExecutionAlreadyStartedError } = await import('@temporalio/client');
  const connection = Connection.lazy({ address });
  return {
    connection,
    client: new Client({ connection, namespace }),
    isStarted: (error: unknown) => error instanceof WorkflowExecutionAlreadyStartedError,
  };
}

function unavailable(cause: unknown): AppError {
  return new AppError('UNAVAILABLE', 'This needs workflows, which cannot be reached at the moment; try again soon.', {
    cause,
  });
}
