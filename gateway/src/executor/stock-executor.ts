import type { Supergraph } from '@apollo/federation-internals';
import { type buildOperationContext, executeQueryPlan, type ServiceMap } from '@apollo/gateway';
import type { QueryPlan } from '@apollo/query-planner';
import type { ExecutionResult, GraphQLSchema } from 'graphql';
import type { OperationContext } from '../context.ts';

type RequestContext = Parameters<typeof executeQueryPlan>[2];

export interface StockRequest {
  plan: QueryPlan;
  operation: ReturnType<typeof buildOperationContext>;
  variables: Record<string, unknown>;
  context: OperationContext;
  services: ServiceMap;
}

/** The executor of @apollo/gateway, which knows every plan. */
export function createStockExecutor(supergraph: Supergraph, schema: GraphQLSchema) {
  const apiSchema = supergraph.apiSchema();
  const supergraphSchema = supergraph.schema.toGraphQLJSSchema();
  return async ({ plan, operation, variables, context, services }: StockRequest): Promise<ExecutionResult> => {
    // Of Apollo's request context the executor reads these.
    const requestContext = {
      request: { variables },
      context,
      metrics: {},
      logger: SILENT,
      schema,
    } as object as RequestContext;
    return await executeQueryPlan(plan, services, requestContext, operation, supergraphSchema, apiSchema);
  };
}

const nothing = () => {};
// What fails becomes an error of the result, which formatError logs.
const SILENT = { debug: nothing, info: nothing, warn: nothing, error: nothing };
