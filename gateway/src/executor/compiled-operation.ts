import { type Operation, type Schema, type Supergraph } from '@apollo/federation-internals';
import type { QueryPlan } from '@apollo/query-planner';
import { type ExecutionResult, GraphQLError } from 'graphql';
import type { OperationContext } from '../context.ts';
import type { GraphQLAnswer } from '../subgraph-client.ts';
import { compilePlan, type PlanCompilation, UnknownPlanNodeError } from './compile-plan.ts';
import type { JsonObject } from './json.ts';
import type { FetchTiming, Path, PlanRun, RunNode, SubgraphFetches } from './plan-run.ts';
import { createRepresentations } from './representations.ts';
import { type Conditions, type DeferredFragment, inspectOperation } from './selections.ts';
import { compileShape, type ShapeRun } from './shape.ts';
import { createTypeConditions } from './type-conditions.ts';

/** An operation that is executed without looking at its document or plan again. */
export interface CompiledOperation {
  run: RunNode | undefined;
  conditionVariables: readonly string[];
  defaults: Readonly<Record<string, unknown>>;
  /** The answer's form, for each combination of `@skip` and `@include` that was asked for. */
  shapes: Map<string, WriteAnswer>;
  operation: Operation;
  /** Whether its deferred fragments are answered apart. */
  isIncremental: boolean;
}

export type WriteAnswer = (input: JsonObject, run: ShapeRun) => JsonObject | null;

export interface ExecutionRequest {
  variables: JsonObject;
  context: OperationContext;
  fetches: SubgraphFetches;
  event?: GraphQLAnswer;
  timings: FetchTiming[] | undefined;
}

export interface Executed {
  result: ExecutionResult;
  /** How many objects the answer holds; undefined where nobody counted. */
  objectCount: number | undefined;
}

export interface OperationCompiler {
  /** Undefined for what the stock executor has to do: introspection, and plans with nodes that are not known here. */
  compile(operation: Operation, plan: QueryPlan): CompiledOperation | undefined;
}

/** What one operation can ask for with its variables in turn; more combinations push out the others. */
const MAX_SHAPES = 32;

export function createOperationCompiler(supergraph: Supergraph): OperationCompiler {
  const types = createTypeConditions(supergraph.schema.toGraphQLJSSchema());
  const graph = { types, representations: createRepresentations(types) };
  return { compile: (operation, plan) => compile(operation, plan, graph) };
}

function compile(
  operation: Operation,
  plan: QueryPlan,
  graph: Pick<PlanCompilation, 'types' | 'representations'>,
): CompiledOperation | undefined {
  const { conditionVariables, answerable } = inspectOperation(operation.selectionSet);
  if (!answerable) return undefined;
  const defaults = operation.collectDefaultedVariableValues();
  const compilation = { ...graph, defaults, shareable: operation.rootKind === 'query' };
  const isIncremental = operation.selectionSet.hasDefer();
  const compiled = { conditionVariables, defaults, operation, isIncremental, shapes: new Map() };
  try {
    const { node } = plan;
    if (node === undefined) return { ...compiled, run: undefined };
    if (node.kind !== 'Subscription') return { ...compiled, run: compilePlan(node, compilation) };
    const { primary, rest } = node;
    const perEvent = { kind: 'Sequence' as const, nodes: rest === undefined ? [primary] : [primary, rest] };
    return { ...compiled, run: compilePlan(perEvent, { ...compilation, primary }) };
  } catch (error) {
    if (error instanceof UnknownPlanNodeError) return undefined;
    throw error;
  }
}

/** The values that decide what is answered; undefined when one is no boolean, which only the stock executor can explain. */
export function readConditions(
  { conditionVariables, defaults }: CompiledOperation,
  variables: JsonObject,
): Conditions | undefined {
  const conditions: Record<string, boolean> = {};
  for (const name of conditionVariables) {
    const value = Object.hasOwn(variables, name) ? variables[name] : defaults[name];
    if (typeof value !== 'boolean') return undefined;
    conditions[name] = value;
  }
  return conditions;
}

/** Runs the plan and shapes what it fetched. @throws when the subgraphs' answers are at odds with the plan */
export async function execute(
  compiled: CompiledOperation,
  conditions: Conditions,
  request: ExecutionRequest,
): Promise<Executed> {
  const run = startRun(request);
  await compiled.run?.(run);
  return shape(run, createShapeRun(), shapeOf(compiled, conditions));
}

export function startRun({ variables, context, fetches, event, timings }: ExecutionRequest): PlanRun {
  return {
    context,
    variables,
    data: {},
    errors: [],
    fetches,
    timings,
    startedAt: timings === undefined ? 0 : performance.now(),
    ...(event && { event }),
  };
}

export function createShapeRun(path: Path = []): ShapeRun {
  return { path: [...path], problems: [], objectCount: 0, deferred: [] };
}

/** What was fetched, in the form that was asked for. */
export function shape(
  { data: input, errors }: Pick<PlanRun, 'data' | 'errors'>,
  run: ShapeRun,
  write: WriteAnswer,
): Executed {
  let data: JsonObject | null;
  try {
    data = write(input, run);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { result: { errors: [new GraphQLError(error.message, { originalError: error })] }, objectCount: 0 };
  }
  return { result: resultOf(data, errors, run), objectCount: run.objectCount };
}

function resultOf(data: JsonObject | null, errors: readonly Error[], run: ShapeRun): ExecutionResult {
  // An error's own type is kept: whoever formats it tells an outage from a bug by it.
  if (errors.length > 0) return { errors: errors as GraphQLError[], data };
  return run.problems.length > 0 ? { data, extensions: { valueCompletion: run.problems } } : { data };
}

/** The form of the answer, or of one of its deferred fragments. */
export function shapeOf(compiled: CompiledOperation, conditions: Conditions, fragment?: DeferredFragment): WriteAnswer {
  const { shapes, operation, conditionVariables, isIncremental } = compiled;
  const values = conditionVariables.map((name) => (conditions[name] === true ? '1' : '0')).join('');
  const key = fragment === undefined ? values : `${values} ${fragment.label} ${fragment.parentType.name}`;
  const known = shapes.get(key);
  if (known !== undefined) return known;
  if (shapes.size >= MAX_SHAPES) shapes.clear();
  const schema = operation.schema();
  const write = compileShape(
    fragment ?? { selectionSet: operation.selectionSet, parentType: rootTypeOf(schema, operation) },
    {
      schema,
      conditions,
      isIncremental,
    },
  );
  shapes.set(key, write);
  return write;
}

function rootTypeOf(schema: Schema, { rootKind }: Operation) {
  const rootType = schema.schemaDefinition.rootType(rootKind);
  if (rootType === undefined) throw new Error(`The schema has no ${rootKind}`);
  return rootType;
}
