import type { SubscriptionNode } from '@apollo/query-planner';
import {
  type DocumentNode,
  getOperationAST,
  getVariableValues,
  GraphQLError,
  type GraphQLSchema,
  OperationTypeNode,
  specifiedRules,
  validate,
} from 'graphql';
import { z } from 'zod';
import type { Executor, PlannedOperation } from './executor/executor.ts';
import { checkCost, ERRORS_BEFORE_GIVING_UP, parseWithinLimits, withCode, withoutSuggestions } from './limits.ts';
import { OperationCosts } from './operation-cost.ts';

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
}

export interface SubscriptionPlanner {
  schema: GraphQLSchema;
  /** The plan, or why the request is wrong in itself: nothing is sent to a subgraph before this. */
  plan(request: SubscriptionRequest): PlannedSubscription | readonly GraphQLError[];
}

const MAX_CACHED_PLANS = 500;

/** Plans subscriptions, each distinct document once. */
export function createSubscriptionPlanner(
  executor: Executor,
  { hideSchema }: { hideSchema: boolean },
): SubscriptionPlanner {
  const { schema } = executor;
  const costs = new OperationCosts(schema);
  const wrong = (errors: readonly GraphQLError[], code: string) =>
    errors.map((error) => withCode(hideSchema ? withoutSuggestion(error) : error, code));
  const plans = new Map<string, SubscriptionPlan>();

  const createPlan = (query: string, operationName: string | undefined): SubscriptionPlan | readonly GraphQLError[] => {
    const document = readDocument(schema, query, wrong);
    if (!('definitions' in document)) return document;
    const ast = getOperationAST(document, operationName);
    if (!ast) return [badRequest('Wanted one operation, or an operationName that the document holds.')];
    if (ast.operation !== OperationTypeNode.SUBSCRIPTION) {
      return [
        badRequest(`Streams and sockets serve subscriptions only, not a ${ast.operation}: send it to POST /graphql.`),
      ];
    }
    return build(executor, document, operationName);
  };

  return {
    schema,
    plan: ({ query, operationName, variables }) => {
      const name = operationName ?? undefined;
      const key = JSON.stringify([query, name]);
      const plan = plans.get(key) ?? createPlan(query, name);
      if (!('primary' in plan)) return plan;
      plans.set(key, plan);
      const [oldest] = plans.keys();
      if (plans.size > MAX_CACHED_PLANS && oldest !== undefined) plans.delete(oldest);
      const { operation } = plan.planned.operation;
      const coerced = getVariableValues(schema, operation.variableDefinitions ?? [], variables ?? {}, {
        maxErrors: ERRORS_BEFORE_GIVING_UP,
      });
      if (coerced.errors) return wrong(coerced.errors, 'BAD_USER_INPUT');
      const tooDear = checkCost(costs.of(plan.document, operation, coerced.coerced));
      if (tooDear) return [withCode(tooDear, 'BAD_USER_INPUT')];
      return {
        plan,
        request: { query, ...(name !== undefined && { operationName: name }), variables: variables ?? {} },
      };
    },
  };
}

function readDocument(
  schema: GraphQLSchema,
  query: string,
  wrong: (errors: readonly GraphQLError[], code: string) => readonly GraphQLError[],
): DocumentNode | readonly GraphQLError[] {
  const document = parseWithinLimits(query);
  if (!('definitions' in document)) return document;
  const errors = validate(schema, document, specifiedRules, { maxErrors: ERRORS_BEFORE_GIVING_UP });
  return errors.length === 0 ? document : wrong(errors, 'GRAPHQL_VALIDATION_FAILED');
}

function withoutSuggestion({ message, nodes, source, positions }: GraphQLError): GraphQLError {
  const place = { nodes: nodes ?? null, source: source ?? null, positions: positions ?? null };
  return new GraphQLError(withoutSuggestions(message), place);
}

function build(executor: Executor, document: DocumentNode, operationName: string | undefined): SubscriptionPlan {
  const planned = executor.prepare(document, operationName);
  const { node } = planned.plan;
  if (node?.kind !== 'Subscription') throw new Error(`Wanted the plan of a subscription, got ${node?.kind}`);
  return { document, primary: node.primary, planned };
}

function badRequest(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'BAD_REQUEST' } });
}
