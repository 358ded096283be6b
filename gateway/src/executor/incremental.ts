import { operationFromDocument, type Schema } from '@apollo/federation-internals';
import type { QueryPlan } from '@apollo/query-planner';
import type { DocumentNode, GraphQLError } from 'graphql';
import {
  type CompiledOperation,
  createShapeRun,
  type Executed,
  type ExecutionRequest,
  type OperationCompiler,
  shape,
  shapeOf,
  startRun,
} from './compiled-operation.ts';
import { labelDefers } from './defer-labels.ts';
import { Deferrals, type FetchedPart } from './deferred-parts.ts';
import { getOwn, isObject, type JsonObject } from './json.ts';
import type { Path, PlanRun } from './plan-run.ts';
import type { Conditions } from './selections.ts';
import type { DeferredPlace } from './shape.ts';

/** An operation that is answered in parts. */
export interface DeferredOperation {
  compiled: CompiledOperation;
  /** The client's labels by those that tell its parts apart. */
  labels: ReadonlyMap<string, string | undefined>;
}

/** One deferred fragment of one object of the answer. */
export interface AnsweredPart extends Executed {
  path: Path;
  /** The client's. */
  label: string | undefined;
}

export interface ExecutedInParts {
  first: Executed;
  /** The deferred parts as they come, a part never before the one around it; undefined where there is none. */
  rest: AsyncGenerator<ArrivedParts, undefined> | undefined;
}

export interface ArrivedParts {
  parts: readonly AnsweredPart[];
  /** Whether others are still under way. */
  hasNext: boolean;
}

export function compileDeferred(
  {
    document,
    operationName,
    plan,
  }: { document: DocumentNode; operationName?: string | undefined; plan?: QueryPlan | undefined },
  { apiSchema, compiler }: { apiSchema: Schema; compiler: OperationCompiler },
): DeferredOperation | undefined {
  if (plan === undefined) return undefined;
  const labelled = labelDefers(document, operationName);
  if (labelled === undefined) return undefined;
  const compiled = compiler.compile(operationFromDocument(apiSchema, labelled.document), plan);
  return compiled && { compiled, labels: labelled.labels };
}

/** Runs the plan until what is not deferred is there. @throws like `execute` */
export async function executeInParts(
  operation: DeferredOperation,
  conditions: Conditions,
  request: ExecutionRequest,
): Promise<ExecutedInParts> {
  const { compiled } = operation;
  const deferrals = new Deferrals();
  const run = { ...startRun(request), deferrals };
  await compiled.run?.(run);
  const shaping = createShapeRun();
  const first = shape(run, shaping, shapeOf(compiled, conditions));
  if (shaping.deferred.length === 0) return { first, rest: undefined };
  return { first, rest: answerRest(operation, { conditions, run, deferrals, places: shaping.deferred }) };
}

interface Rest {
  conditions: Conditions;
  run: PlanRun;
  deferrals: Deferrals;
  /** What was deferred in the first part of the answer. */
  places: readonly DeferredPlace[];
}

/** The places of one deferred fragment, once it is fetched. */
interface Arrival {
  label: string;
  places: readonly DeferredPlace[];
  part: FetchedPart;
}

async function* answerRest(
  operation: DeferredOperation,
  { conditions, run, deferrals, places: first }: Rest,
): AsyncGenerator<ArrivedParts, undefined> {
  const awaited = new Map<string, Promise<Arrival>>();
  const expect = (deferred: readonly DeferredPlace[], around: FetchedPart) => {
    for (const [label, places] of Map.groupBy(deferred, ({ fragment }) => fragment.label)) {
      awaited.set(label, arrive({ label, places }, deferrals.parts.get(label) ?? Promise.resolve(around)));
    }
  };
  expect(first, run);
  while (awaited.size > 0) {
    const { label, places, part } = await Promise.race(awaited.values());
    awaited.delete(label);
    const answered = answerPart(operation, { conditions, places, part });
    expect(answered.deferred, part);
    yield { parts: answered.parts, hasNext: awaited.size > 0 };
  }
}

async function arrive(of: Omit<Arrival, 'part'>, fetched: Promise<FetchedPart>): Promise<Arrival> {
  try {
    return { ...of, part: await fetched };
  } catch (error) {
    const failure = error instanceof Error ? error : new Error(String(error));
    return { ...of, part: { data: {}, errors: [failure] } };
  }
}

function answerPart(
  { compiled, labels }: DeferredOperation,
  { conditions, places, part }: { conditions: Conditions } & Omit<Arrival, 'label'>,
): { parts: AnsweredPart[]; deferred: DeferredPlace[] } {
  const deferred: DeferredPlace[] = [];
  const errorsOf = assignErrors(part.errors, places);
  const parts = places.map((place, index): AnsweredPart => {
    const { fragment, path } = place;
    const label = labels.get(fragment.label);
    const errors = errorsOf.get(index) ?? [];
    const data = objectAt(part.data, path);
    if (data === undefined) return { path, label, result: { data: null, errors }, objectCount: 0 };
    const shaping = createShapeRun(path);
    const executed = shape({ data, errors }, shaping, shapeOf(compiled, conditions, fragment));
    deferred.push(...shaping.deferred);
    return { path, label, ...executed };
  });
  return { parts, deferred };
}

/** The errors of a part by the index of the place that they belong to: the first, where an error says of none. */
function assignErrors(errors: readonly Error[], places: readonly DeferredPlace[]): Map<number, GraphQLError[]> {
  // The same fragment stands at the same depth everywhere.
  const depth = places[0]?.path.length ?? 0;
  const indexes = new Map(places.map(({ path }, index) => [JSON.stringify(path), index]));
  return Map.groupBy(errors as readonly GraphQLError[], ({ path }) =>
    path === undefined ? 0 : (indexes.get(JSON.stringify(path.slice(0, depth))) ?? 0),
  );
}

function objectAt(data: JsonObject, path: Path): JsonObject | undefined {
  let value: unknown = data;
  for (const element of path) {
    value = Array.isArray(value)
      ? value[Number(element)]
      : isObject(value)
        ? getOwn(value, String(element))
        : undefined;
  }
  return isObject(value) ? value : undefined;
}
