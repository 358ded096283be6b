import type { Supergraph } from '@apollo/federation-internals';
import type { executeQueryPlan, ServiceMap } from '@apollo/gateway';
import type { QueryPlan } from '@apollo/query-planner';
import type { DocumentNode, ExecutionResult, GraphQLSchema } from 'graphql';
import type { OperationContext } from '../context.ts';

type RequestContext = Parameters<typeof executeQueryPlan>[2];

export interface StockRequest {
  plan: QueryPlan;
  document: DocumentNode;
  operationName: string | undefined;
  variables: Record<string, unknown>;
  context: OperationContext;
  services: ServiceMap;
}

/** The executor of @apollo/gateway, which knows every plan. Its package, 30 MB with all that it loads, comes with its first operation. */
export function createStockExecutor(supergraph: Supergraph, schema: GraphQLSchema) {
  const apiSchema = supergraph.apiSchema();
  let supergraphSchema: GraphQLSchema | undefined;
  return async (request: StockRequest): Promise<ExecutionResult> => {
    const { plan, document, operationName, variables, context, services } = request;
    const { buildOperationContext, executeQueryPlan } = await import('@apollo/gateway');
    supergraphSchema ??= supergraph.schema.toGraphQLJSSchema();
    const named = operationName === undefined ? {} : { operationName };
    const operation = buildOperationContext({ schema, operationDocument: document, ...named });
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
