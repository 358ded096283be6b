import { type FormatError, toFormattedError } from '@kindred/service/format-error';
import type { FormattedExecutionResult } from 'graphql';
import type { Admitted } from './admit-operation.ts';
import { type Chunk, formatParts, type Total } from './answer-parts.ts';
import type { OperationContext } from './context.ts';
import type { Executed } from './executor/compiled-operation.ts';
import type { Executor } from './executor/executor.ts';
import type { FetchTiming } from './executor/plan-run.ts';
import { capErrors } from './limits.ts';
import { actualCost } from './operation-cost.ts';
import type { OperationRequest } from './operation-request.ts';

export interface Answering {
  executor: Executor;
  formatError: FormatError;
}

/** A query or mutation that may run. */
export interface AdmittedOperation {
  admitted: Admitted;
  request: OperationRequest;
  context: OperationContext;
}

/** Runs the operation, settles what it cost, and says so in its extensions. @throws what ended it before it had an answer */
export async function answerWhole(
  { executor, formatError }: Answering,
  operation: AdmittedOperation,
): Promise<FormattedExecutionResult> {
  const { admitted, request, context } = operation;
  const account = openAccount(operation);
  let executed: Executed;
  try {
    const { timings } = account;
    executed = await executor.execute(admitted.prepared.planned, { variables: request.variables, context, timings });
  } catch (error) {
    account.fail();
    throw error;
  }
  const accounted = account.settle({ objectCount: executed.objectCount, hasData: Boolean(executed.result.data) });
  const { data = null, errors, extensions } = capErrors(executed.result);
  return {
    ...(errors && { errors: errors.map((error) => toFormattedError(error, formatError)) }),
    data,
    extensions: { ...extensions, ...accounted },
  };
}

/**
 * The messages of the answer, the first of them there already; what they cost is settled with the last, or when nobody
 * reads on. Undefined where nothing is deferred, or only the whole can be answered; nothing was sent to a subgraph then.
 * @throws like `answerWhole`
 */
export async function answerInParts(
  { executor, formatError }: Answering,
  operation: AdmittedOperation,
): Promise<AsyncGenerator<Chunk, undefined> | undefined> {
  const { admitted, request, context } = operation;
  const { planned } = admitted.prepared;
  if (planned.deferred === undefined) return undefined;
  const account = openAccount(operation);
  try {
    const { timings } = account;
    const executed = await executor.executeInParts(planned, { variables: request.variables, context, timings });
    return executed && formatParts(executed, { formatError, onEnd: account.settle });
  } catch (error) {
    account.fail();
    throw error;
  }
}

/** What was admitted is not run: it costs nothing. */
export function giveBack({ spending, charge, cost }: Admitted): void {
  spending.cancel();
  charge.refund(cost);
}

/** What the operation cost and took, settled once when it is over. */
function openAccount({ admitted, request }: AdmittedOperation) {
  const { prepared, cost, charge, spending } = admitted;
  const timings: FetchTiming[] | undefined = request.extensions.timing === true ? [] : undefined;
  const startedAt = performance.now();
  const kind = prepared.node.operation.toUpperCase();
  return {
    timings,
    fail: () => spending.settle(kind, { points: cost, recommendations: 0 }),
    settle: ({ objectCount, hasData }: Total) => {
      const actual = Math.min(cost, actualCost(prepared.node, objectCount) ?? cost);
      spending.settle(kind, { points: actual, recommendations: hasData ? prepared.recommendations : 0 });
      charge.refund(cost - actual);
      return {
        cost: { requested: cost, actual, remaining: charge.remaining() },
        ...(timings && { timing: { totalMs: performance.now() - startedAt, fetches: timings } }),
      };
    },
  };
}
