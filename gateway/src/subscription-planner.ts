import { operationFromDocument, type Supergraph } from '@apollo/federation-internals';
import { buildOperationContext } from '@apollo/gateway';
import { type QueryPlan, QueryPlanner, type SubscriptionNode } from '@apollo/query-planner';
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
import { MAX_ERRORS, parseWithinLimits, withCode } from './limits.ts';

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
  operation: ReturnType<typeof buildOperationContext>;
  /** The subscription at the subgraph that owns the root field. */
  primary: SubscriptionNode['primary'];
  /** The primary's fetch, then everything that other subgraphs add. */
  perEvent: QueryPlan;
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
export function createSubscriptionPlanner(supergraph: Supergraph): SubscriptionPlanner {
  const apiSchema = supergraph.apiSchema();
  const schema = apiSchema.toGraphQLJSSchema();
  const planner = new QueryPlanner(supergraph);
  const plans = new Map<string, SubscriptionPlan>();

  const createPlan = (query: string, operationName: string | undefined): SubscriptionPlan | readonly GraphQLError[] => {
    const document = readDocument(schema, query);
    if (!('definitions' in document)) return document;
    const ast = getOperationAST(document, operationName);
    if (!ast) return [badRequest('Wanted one operation, or an operationName that the document holds.')];
    if (ast.operation !== OperationTypeNode.SUBSCRIPTION) {
      return [
        badRequest(`Streams and sockets serve subscriptions only, not a ${ast.operation}: send it to POST /graphql.`),
      ];
    }
    return build({ apiSchema, schema, planner }, document, operationName);
  };

  return {
    schema,
    plan: ({ query, operationName, variables }) => {
      const name = operationName ?? undefined;
      const key = JSON.stringify([query, name]);
      const plan = plans.get(key) ?? createPlan(query, name);
      if (!('perEvent' in plan)) return plan;
      plans.set(key, plan);
      const [oldest] = plans.keys();
      if (plans.size > MAX_CACHED_PLANS && oldest !== undefined) plans.delete(oldest);
      const coerced = getVariableValues(schema, plan.operation.operation.variableDefinitions ?? [], variables ?? {});
      if (coerced.errors) return coerced.errors.map((error) => withCode(error, 'BAD_USER_INPUT'));
      return {
        plan,
        request: { query, ...(name !== undefined && { operationName: name }), variables: variables ?? {} },
      };
    },
  };
}

function readDocument(schema: GraphQLSchema, query: string): DocumentNode | readonly GraphQLError[] {
  const document = parseWithinLimits(schema, query);
  if (!('definitions' in document)) return document;
  const errors = validate(schema, document, specifiedRules, { maxErrors: MAX_ERRORS });
  return errors.length === 0 ? document : errors.map((error) => withCode(error, 'GRAPHQL_VALIDATION_FAILED'));
}

interface Graph {
  apiSchema: ReturnType<Supergraph['apiSchema']>;
  schema: GraphQLSchema;
  planner: QueryPlanner;
}

function build(
  { apiSchema, schema, planner }: Graph,
  document: DocumentNode,
  operationName: string | undefined,
): SubscriptionPlan {
  const options = operationName === undefined ? {} : { operationName };
  const { node } = planner.buildQueryPlan(operationFromDocument(apiSchema, document, options));
  if (node?.kind !== 'Subscription') throw new Error(`Wanted the plan of a subscription, got ${node?.kind}`);
  const { primary, rest } = node;
  return {
    document,
    operation: buildOperationContext({ schema, operationDocument: document, ...options }),
    primary,
    // The stock executor refuses a Subscription node, and runs the same nodes as a Sequence.
    perEvent: {
      kind: 'QueryPlan',
      node: { kind: 'Sequence', nodes: rest === undefined ? [primary] : [primary, rest] },
    },
  };
}

function badRequest(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'BAD_REQUEST' } });
}
