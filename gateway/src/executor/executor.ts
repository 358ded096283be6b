import { operationFromDocument, type Supergraph } from '@apollo/federation-internals';
import type { ServiceMap } from '@apollo/gateway';
import type { QueryPlan } from '@apollo/query-planner';
import type { DocumentNode, GraphQLSchema } from 'graphql';
import type { OperationContext } from '../context.ts';
import type { DocumentPlan } from '../planning/plan-operation.ts';
import { type GraphQLAnswer, readAnswer, type SubgraphClient, type TextAnswer } from '../subgraph-client.ts';
import {
  type CompiledOperation,
  createOperationCompiler,
  execute,
  type Executed,
  readConditions,
} from './compiled-operation.ts';
import { withoutDefers } from './defer-labels.ts';
import { EntityBatches } from './entity-batches.ts';
import { compileDeferred, type DeferredOperation, type ExecutedInParts, executeInParts } from './incremental.ts';
import type { FetchTiming, FieldsFetch, SubgraphFetches } from './plan-run.ts';
import { QueryBatches } from './query-batches.ts';
import { SharedFetches } from './shared-fetches.ts';
import { createStockExecutor } from './stock-executor.ts';

/** An operation with its plan; `compiled` is undefined where the stock executor has to run it. */
export interface PlannedOperation {
  document: DocumentNode;
  operationName: string | undefined;
  plan: QueryPlan;
  compiled: CompiledOperation | undefined;
  /** How it is answered in parts; undefined where nothing is deferred. */
  deferred?: DeferredOperation;
}

export interface Execution {
  variables: Record<string, unknown>;
  context: OperationContext;
  /** The event that stands for the primary fetch of a subscription. */
  event?: GraphQLAnswer;
  /** Filled with how long each fetch took, where somebody asks. */
  timings?: FetchTiming[] | undefined;
}

export interface Executor {
  schema: GraphQLSchema;
  /** Compiles the plan of a valid document; not kept. */
  prepare(document: DocumentNode, operationName: string | undefined, plan: DocumentPlan): PlannedOperation;
  execute(planned: PlannedOperation, execution: Execution): Promise<Executed>;
  /** What is not deferred, and then the rest as it comes; undefined where the answer can only be given whole. */
  executeInParts(planned: PlannedOperation, execution: Execution): Promise<ExecutedInParts | undefined>;
  stats(): { fallbacks: number; sharedFetches: number; batchedFetches: number };
}

export function createExecutor(options: {
  supergraph: Supergraph;
  client: Pick<SubgraphClient, 'send'>;
  dataSources: ServiceMap;
}): Executor {
  const { supergraph } = options;
  const apiSchema = supergraph.apiSchema();
  const schema = apiSchema.toGraphQLJSSchema({ includeDefer: true });
  const compiler = createOperationCompiler(supergraph);
  const stock = createStockExecutor(supergraph, schema);
  const shared = new SharedFetches<TextAnswer>();
  const queries = new QueryBatches(options.client);
  const fields = createFetchFields({ client: options.client, shared, queries });
  const batches = new EntityBatches(fields);
  const fetches: SubgraphFetches = { fields, entities: (fetch, context) => batches.get(fetch, context) };
  let fallbacks = 0;

  return {
    schema,
    prepare: (document, operationName, plan) => {
      const named = operationName === undefined ? {} : { operationName };
      const operation = operationFromDocument(apiSchema, withoutDefers(document), named);
      const deferred = compileDeferred({ document, operationName, plan: plan.deferred }, { apiSchema, compiler });
      return {
        document,
        operationName,
        plan,
        compiled: compiler.compile(operation, plan),
        ...(deferred && { deferred }),
      };
    },
    execute: async (planned, execution) => {
      const { compiled } = planned;
      const { variables, context, event, timings } = execution;
      const conditions = compiled && readConditions(compiled, variables);
      if (compiled === undefined || conditions === undefined) {
        fallbacks += 1;
        const services =
          event === undefined ? options.dataSources : answerPrimary(options.dataSources, planned.plan, event);
        const plan = withoutSubscription(planned.plan);
        return { result: await stock({ ...planned, plan, variables, context, services }), objectCount: undefined };
      }
      try {
        return await execute(compiled, conditions, { variables, context, fetches, timings, ...(event && { event }) });
      } finally {
        if (compiled.operation.rootKind === 'mutation') shared.separate(context.viewer);
      }
    },
    executeInParts: (planned, execution) => answerInParts(planned, execution, { fetches, shared }),
    stats: () => ({
      fallbacks,
      sharedFetches: shared.sharedCount,
      batchedFetches: batches.savedCount + queries.savedCount,
    }),
  };
}

async function answerInParts(
  { deferred }: PlannedOperation,
  { variables, context, timings }: Execution,
  { fetches, shared }: { fetches: SubgraphFetches; shared: SharedFetches<TextAnswer> },
): Promise<ExecutedInParts | undefined> {
  const conditions = deferred && readConditions(deferred.compiled, variables);
  if (deferred === undefined || conditions === undefined) return undefined;
  try {
    return await executeInParts(deferred, conditions, { variables, context, fetches, timings });
  } finally {
    if (deferred.compiled.operation.rootKind === 'mutation') shared.separate(context.viewer);
  }
}

function createFetchFields({
  client,
  shared,
  queries,
}: {
  client: Pick<SubgraphClient, 'send'>;
  shared: SharedFetches<TextAnswer>;
  queries: QueryBatches;
}) {
  return async ({ name, body, operation, shareable, repeatable }: FieldsFetch, context: OperationContext) => {
    const call = { name, body, repeatable };
    const send = (own: OperationContext) =>
      operation === undefined ? client.send(call, own) : queries.send(call, operation, own);
    const answer = shareable ? await shared.get(call, context, send) : await client.send(call, context);
    return readAnswer(name, answer);
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
