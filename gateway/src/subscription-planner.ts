import type { SubscriptionNode } from '@apollo/query-planner';
import { type DocumentNode, GraphQLError, type GraphQLSchema } from 'graphql';
import { z } from 'zod';
import type { PlannedOperation } from './executor/executor.ts';
import type { Operations, PreparedOperation, Refusal } from './operations.ts';

/** A subscription as a client asks for it, over either transport. */
export const SUBSCRIPTION_REQUEST = z.object({
  query: z.string(),
  operationName: z.string().nullish(),
  variables: z.record(z.string(), z.unknown()).nullish(),
});
export type SubscriptionRequest = z.output<typeof SUBSCRIPTION_REQUEST>;

/** How a subscription runs: what is subscribed where, and the plan to run for each event. */
export interface SubscriptionPlan {
  document: DocumentNode;
  /** The subscription at the subgraph that owns the root field. */
  primary: SubscriptionNode['primary'];
  /** The primary's fetch, which each event answers, then everything that other subgraphs add. */
  planned: PlannedOperation;
}

export interface PlannedSubscription {
  plan: SubscriptionPlan;
  request: { query: string; operationName?: string; variables: Record<string, unknown> };
  /** In points; see `OperationCosts`. */
  cost: number;
}

export interface SubscriptionPlanner {
  schema: GraphQLSchema;
  /** The plan, or why the request is wrong in itself: nothing is sent to a subgraph before this. */
  plan(request: SubscriptionRequest): PlannedSubscription | Refusal;
}

export function createSubscriptionPlanner(operations: Operations): SubscriptionPlanner {
  return {
    schema: operations.schema,
    plan: ({ query, operationName, variables }) => {
      const name = operationName ?? undefined;
      const prepared = operations.prepare(query, name);
      if (!('planned' in prepared)) return prepared;
      const plan = planOf(prepared);
      if (plan instanceof GraphQLError) return [plan];
      const values = variables ?? {};
      const admitted = operations.admit(prepared, values);
      if (!('cost' in admitted)) return admitted;
      const request = { query, ...(name !== undefined && { operationName: name }), variables: values };
      return { plan, request, cost: admitted.cost };
    },
  };
}

function planOf({ document, node, planned }: PreparedOperation): SubscriptionPlan | GraphQLError {
  const { node: root } = planned.plan;
  if (root?.kind === 'Subscription') return { document, primary: root.primary, planned };
  const message = `Streams and sockets serve subscriptions only, not a ${node.operation}: send it to POST /graphql.`;
  return new GraphQLError(message, { extensions: { code: 'BAD_REQUEST' } });
}
