import { operationFromDocument, type Supergraph } from '@apollo/federation-internals';
import { buildOperationContext, type ServiceMap } from '@apollo/gateway';
import { type QueryPlan, QueryPlanner } from '@apollo/query-planner';
import type { ApolloServerOptionsWithGateway } from '@apollo/server';
import { type DocumentNode, type ExecutionResult, getVariableValues, type GraphQLSchema } from 'graphql';
import type { OperationContext } from '../context.ts';
import { capErrors, ERRORS_BEFORE_GIVING_UP } from '../limits.ts';
import { LruCache } from '@kindred/service/lru-cache';
import { type GraphQLAnswer, readAnswer, type SubgraphClient, type TextAnswer } from '../subgraph-client.ts';
import { isSubgraphName } from '../subgraphs.ts';
import { type CompiledOperation, createOperationCompiler, execute, readConditions } from './compiled-operation.ts';
import type { FetchFromSubgraph } from './plan-run.ts';
import { SharedFetches } from './shared-fetches.ts';
import { createStockExecutor } from './stock-executor.ts';

/** An operation with its plan; `compiled` is undefined where the stock executor has to run it. */
export interface PlannedOperation {
  operation: ReturnType<typeof buildOperationContext>;
  plan: QueryPlan;
  compiled: CompiledOperation | undefined;
}

export interface Execution {
  variables: Record<string, unknown>;
  context: OperationContext;
  /** The event that stands for the primary fetch of a subscription. */
  event?: GraphQLAnswer;
}

export interface Executor {
  schema: GraphQLSchema;
  /** Plans and compiles; not kept. The document must be valid. */
  prepare(document: DocumentNode, operationName: string | undefined): PlannedOperation;
  execute(planned: PlannedOperation, execution: Execution): Promise<ExecutionResult>;
  /** For Apollo Server, in place of an ApolloGateway; operations that it has validated are planned once. */
  gateway: ApolloServerOptionsWithGateway<OperationContext>['gateway'];
  stats(): { plans: number; fallbacks: number; sharedFetches: number };
}

// As many as two thousand operations of the web app's size.
const PLAN_CACHE = { capacity: 2_000, maxWeight: 32 * 1024 * 1024 };

export function createExecutor(options: {
  supergraph: Supergraph;
  supergraphSdl: string;
  client: Pick<SubgraphClient, 'send'>;
  dataSources: ServiceMap;
}): Executor {
  const { supergraph } = options;
  const apiSchema = supergraph.apiSchema();
  const schema = apiSchema.toGraphQLJSSchema();
  const planner = new QueryPlanner(supergraph);
  const compiler = createOperationCompiler(supergraph);
  const stock = createStockExecutor(supergraph, schema);
  const shared = new SharedFetches<TextAnswer>();
  const fetch = createFetch(options.client, shared);
  const plans = new LruCache<PlannedOperation>(PLAN_CACHE);
  let fallbacks = 0;

  const executor: Executor = {
    schema,
    prepare: (document, operationName) => {
      const named = operationName === undefined ? {} : { operationName };
      const operation = operationFromDocument(apiSchema, document, named);
      const plan = planner.buildQueryPlan(operation);
      return {
        operation: buildOperationContext({ schema, operationDocument: document, ...named }),
        plan,
        compiled: compiler.compile(operation, plan),
      };
    },
    execute: async (planned, execution) => {
      const { compiled } = planned;
      const { variables, context, event } = execution;
      const conditions = compiled && readConditions(compiled, variables);
      if (compiled === undefined || conditions === undefined) {
        fallbacks += 1;
        const services =
          event === undefined ? options.dataSources : answerPrimary(options.dataSources, planned.plan, event);
        return await stock({ ...planned, plan: withoutSubscription(planned.plan), variables, context, services });
      }
      try {
        return await execute(compiled, conditions, { variables, context, fetch, ...(event && { event }) });
      } finally {
        if (compiled.operation.rootKind === 'mutation') shared.separate(context.viewer);
      }
    },
    gateway: createGateway({ schema, sdl: options.supergraphSdl, plans, executor: () => executor }),
    stats: () => ({ plans: plans.size, fallbacks, sharedFetches: shared.sharedCount }),
  };
  return executor;
}

function createFetch(client: Pick<SubgraphClient, 'send'>, shared: SharedFetches<TextAnswer>): FetchFromSubgraph {
  return async ({ name, body, shareable }, context) => {
    if (!isSubgraphName(name)) throw new Error(`The plan names "${name}", which is no subgraph`);
    const answer = shareable
      ? await shared.get({ name, body }, context, (sharedContext) => client.send(name, body, sharedContext))
      : await client.send(name, body, context);
    return readAnswer(name, answer);
  };
}

function createGateway(options: {
  schema: GraphQLSchema;
  sdl: string;
  plans: LruCache<PlannedOperation>;
  executor: () => Executor;
}): Executor['gateway'] {
  const { schema, plans } = options;
  const loaded = { apiSchema: schema, coreSupergraphSdl: options.sdl };
  const listeners = new Set<(schemaContext: typeof loaded) => void>();
  return {
    onSchemaLoadOrUpdate: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    load: async () => {
      for (const listener of listeners) listener(loaded);
      return {
        executor: async ({ request, document, queryHash, operation, context }) => {
          const variables = request.variables ?? {};
          const { variableDefinitions = [] } = operation;
          if (variableDefinitions.length > 0) {
            const { errors } = getVariableValues(schema, variableDefinitions, variables, {
              maxErrors: ERRORS_BEFORE_GIVING_UP,
            });
            if (errors !== undefined) return { errors };
          }
          const key = `${queryHash}${request.operationName ?? ''}`;
          let planned = plans.get(key);
          if (planned === undefined) {
            planned = options.executor().prepare(document, request.operationName);
            plans.set(key, planned, JSON.stringify(planned.plan).length);
          }
          // What Apollo Server declares as any record is what its `context` function gave it.
          return capErrors(
            await options.executor().execute(planned, { variables, context: context as OperationContext }),
          );
        },
      };
    },
    stop: async () => listeners.clear(),
  };
}

/** The stock executor refuses a Subscription node, and runs the same nodes as a Sequence. */
function withoutSubscription(plan: QueryPlan): QueryPlan {
  const { node } = plan;
  if (node?.kind !== 'Subscription') return plan;
  const nodes = node.rest === undefined ? [node.primary] : [node.primary, node.rest];
  return { kind: 'QueryPlan', node: { kind: 'Sequence', nodes } };
}

function answerPrimary(dataSources: ServiceMap, { node }: QueryPlan, event: GraphQLAnswer): ServiceMap {
  if (node?.kind !== 'Subscription') return dataSources;
  const { serviceName, operation } = node.primary;
  const owner = dataSources[serviceName];
  if (owner === undefined) throw new Error(`There is no data source for "${serviceName}"`);
  const process: typeof owner.process = async (fetch) =>
    fetch.request.query === operation ? event : await owner.process(fetch);
  return { ...dataSources, [serviceName]: { process } };
}
