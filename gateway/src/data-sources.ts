import type { GraphQLDataSource, ServiceMap } from '@apollo/gateway';
import type { OperationContext } from './context.ts';
import type { GraphQLAnswer, GraphQLRequest, SubgraphClient } from './subgraph-client.ts';
import { SUBGRAPHS, type SubgraphName } from './subgraphs.ts';

/** Where plans fetch from: one data source per subgraph, over the gateway's own client. */
export function createDataSources(client: SubgraphClient): Record<SubgraphName, GraphQLDataSource> & ServiceMap {
  const sources = SUBGRAPHS.map((name) => [
    name,
    createDataSource((request, context) => client.request(name, request, context)),
  ]);
  return Object.fromEntries(sources) as Record<SubgraphName, GraphQLDataSource>;
}

export function createDataSource(
  ask: (request: GraphQLRequest, context: OperationContext) => Promise<GraphQLAnswer>,
): GraphQLDataSource<OperationContext & Record<string, unknown>> {
  return {
    process: async ({ request: { query = '', operationName, variables }, context }) =>
      await ask({ query, operationName, variables }, context as OperationContext),
  };
}
