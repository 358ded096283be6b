import { type FormatError, toFormattedError } from '@kindred/service/format-error';
import { runInTrace } from '@kindred/service/trace';
import type { FormattedExecutionResult } from 'graphql';
import type { Credential } from './auth.ts';
import { type OperationContext, withDeadline } from './context.ts';
import type { StreamEvent } from './event-stream-reader.ts';
import type { Executor } from './executor/executor.ts';
import { capErrors } from './limits.ts';
import type { Operations } from './operations.ts';
import type { SubgraphClient } from './subgraph-client.ts';
import { isSubgraphName } from './subgraphs.ts';
import {
  createSubscriptionPlanner,
  type PlannedSubscription,
  type SubscriptionPlanner,
} from './subscription-planner.ts';
import { SubscriptionResults } from './subscription-results.ts';

export interface Subscriptions {
  planner: SubscriptionPlanner;
  /** Opens the subscription at the subgraph that owns it; its results, complete over all subgraphs, come in order. */
  subscribe(planned: PlannedSubscription, consumer: { credential: Credential; traceId: string }): SubscriptionResults;
  /** How many subscriptions are open. */
  activeCount(): number;
}

export interface SubscriptionOptions {
  operations: Operations;
  executor: Executor;
  client: SubgraphClient;
  formatError: FormatError;
}

/**
 * Subscriptions over a federated graph. A consumer pulls: the next event is read from the subgraph and completed only
 * when the consumer has taken the last, so a slow consumer holds back its own upstream, and nothing piles up here.
 */
export function createSubscriptions(options: SubscriptionOptions): Subscriptions {
  const { client, formatError } = options;
  const planner = createSubscriptionPlanner(options.operations);
  const complete = createEventCompleter(options);
  let active = 0;
  return {
    planner,
    activeCount: () => active,
    subscribe: (planned, { credential, traceId }) => {
      active += 1;
      return new SubscriptionResults({
        credential,
        open: (signal) => openUpstream(client, planned, { viewer: credential.viewer, traceId, signal, deadlineAt: Infinity }),
        complete: (event, signal) =>
          runInTrace(traceId, () =>
            complete(planned, event, { viewer: credential.viewer, traceId, ...withDeadline(signal) }),
          ),
        formatError: (error) => runInTrace(traceId, () => toFormattedError(error, formatError)),
        onEnd: () => {
          active -= 1;
        },
      });
    },
  };
}

function openUpstream(
  client: SubgraphClient,
  { plan: { primary }, request }: PlannedSubscription,
  context: OperationContext,
): AsyncGenerator<StreamEvent> {
  const { serviceName, operation: query, operationName, variableUsages = [] } = primary;
  if (!isSubgraphName(serviceName)) throw new Error(`The plan names "${serviceName}", which is no subgraph`);
  const given = variableUsages.filter((name) => request.variables[name] !== undefined);
  const variables = Object.fromEntries(given.map((name) => [name, request.variables[name]]));
  return client.stream(serviceName, { query, operationName, variables }, context);
}

/** Runs the plan of an event: the owner's fetch is answered by the event itself, every other one by its subgraph. */
function createEventCompleter({ executor, formatError }: SubscriptionOptions) {
  return async (
    { plan, request: { variables } }: PlannedSubscription,
    event: StreamEvent,
    context: OperationContext,
  ): Promise<FormattedExecutionResult> => {
    const result = capErrors(await executor.execute(plan.planned, { variables, context, event }));
    const { data = null, errors, extensions } = result;
    if (errors === undefined) return { data };
    const formatted = errors.map((error) => toFormattedError(error, formatError));
    return { data, errors: formatted, ...(extensions && { extensions }) };
  };
}
