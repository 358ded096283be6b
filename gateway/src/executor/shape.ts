import {
  type CompositeType,
  ERRORS,
  isCompositeType,
  isEnumType,
  isListType,
  isNonNullType,
  isObjectType,
  isScalarType,
  isValidLeafValue,
  type Schema,
  type SelectionSet,
  type Type,
} from '@apollo/federation-internals';
import type { GraphQLError } from 'graphql';
import { type Assemble, type AssembledField, BUBBLE, compileAssembly } from '@kindred/service/assembly';
import { getOwn, type JsonObject, TYPENAME } from './json.ts';
import type { Path } from './plan-run.ts';
import { type CollectedField, collectFields, type Conditions, type DeferredFragment } from './selections.ts';

/** What shaping an answer found wrong in it, beside what the subgraphs themselves reported. */
export interface ShapeRun {
  path: (string | number)[];
  problems: GraphQLError[];
  /** The objects of the answer so far, the root not counted. */
  objectCount: number;
  /** The deferred fragments of the answer's objects, where they are answered apart. */
  deferred: DeferredPlace[];
}

/** A deferred fragment of one object. */
export interface DeferredPlace {
  fragment: DeferredFragment;
  path: Path;
}

/** Null in place of something that had to be null and was reported. */
const REPORTED = Symbol('reported');

type Complete = (value: unknown, run: ShapeRun) => unknown;

interface Shape {
  schema: Schema;
  conditions: Conditions;
  /** Whether deferred fragments are answered apart. */
  isIncremental: boolean;
}

/**
 * The operation's answer from everything that was fetched: in the operation's order, without what the plan fetched for
 * itself, null bubbled up from wherever something that must not be null is missing.
 */
export function compileShape(
  operation: { selectionSet: SelectionSet; parentType: CompositeType },
  shape: Shape,
): (input: JsonObject, run: ShapeRun) => JsonObject | null {
  const assemblies = compileObject([operation.selectionSet], operation.parentType, shape);
  return (input, run) => {
    const typename = input[TYPENAME] ?? undefined;
    if (typename !== undefined && typeof typename !== 'string')
      throw new Error(`Wanted a name as __typename, got ${JSON.stringify(typename)}`);
    return (assemblies.known.get(typename) ?? assemblies.add(typename))(input, run) ?? null;
  };
}

/** How an object is answered, by the type that it turns out to have; undefined where it does not say. */
interface Assemblies {
  known: ReadonlyMap<unknown, Assemble<ShapeRun>>;
  /** For a type that is met for the first time. */
  add(typename: string | undefined): Assemble<ShapeRun>;
}

function compileObject(sets: readonly SelectionSet[], declaredType: CompositeType, shape: Shape): Assemblies {
  const known = new Map<unknown, Assemble<ShapeRun>>();
  const add = (name: string | undefined): Assemble<ShapeRun> => {
    const typename = name === '' ? undefined : name;
    const type = typename === undefined ? undefined : shape.schema.type(typename);
    const parentType = type !== undefined && isCompositeType(type) ? type : declaredType;
    const deferred: DeferredFragment[] = [];
    const onDeferred = { onDeferred: (fragment: DeferredFragment) => void deferred.push(fragment) };
    const object = { typename, parentType, ...shape, ...(shape.isIncremental && onDeferred) };
    const assembled = compileAssembly(collectFields(sets, object).map((field) => compileField(field, shape)));
    const assemble = shape.isIncremental ? notingDeferred(assembled, deferred) : assembled;
    known.set(name, assemble);
    return assemble;
  };
  return { known, add };
}

/** Of an object that becomes null nothing is deferred either. */
function notingDeferred(assemble: Assemble<ShapeRun>, fragments: readonly DeferredFragment[]): Assemble<ShapeRun> {
  return (input, run) => {
    const { deferred, path } = run;
    const deferredCount = deferred.length;
    const output = assemble(input, run);
    if (output === undefined) deferred.length = deferredCount;
    else for (const fragment of fragments) deferred.push({ fragment, path: [...path] });
    return output;
  };
}

function compileField({ selection, parentType, inner }: CollectedField, shape: Shape): AssembledField<ShapeRun> {
  const name = selection.element.responseName();
  if (selection.element.name === TYPENAME) return compileTypename(name, parentType, shape.schema);
  const type = selection.element.definition.type;
  if (type === undefined) throw new Error(`The field ${name} has no type`);
  const complete = compileValue(type, { name, parentType, inner, ...shape });
  return {
    name,
    property: name,
    isPlain: plainCheckOf(type, shape.schema),
    complete: (value, run) => {
      run.path.push(name);
      const completed = complete(value ?? null, run);
      run.path.pop();
      return completed === REPORTED ? null : completed;
    },
  };
}

function compileTypename(name: string, parentType: CompositeType, schema: Schema): AssembledField<ShapeRun> {
  const fallback = isObjectType(parentType) ? parentType.name : undefined;
  return {
    name,
    property: name,
    isPlain: undefined,
    complete: (value, _run, input) => {
      const told = value ?? (name === TYPENAME ? null : getOwn(input, TYPENAME)) ?? null;
      const type = typeof told === 'string' ? schema.type(told) : undefined;
      const typename = type === undefined ? fallback : isObjectType(type) ? type.name : undefined;
      return typename ?? BUBBLE;
    },
  };
}

type IsPlain = (value: unknown) => boolean;

const isString: IsPlain = (value) => typeof value === 'string';
const isBoolean: IsPlain = (value) => typeof value === 'boolean';

/** Whether a value of the type is surely as it should be; what is not, or of another type, is looked at closer. */
function plainCheckOf(type: Type, schema: Schema): IsPlain | undefined {
  const named = isNonNullType(type) ? type.ofType : type;
  if (named === schema.stringType() || named === schema.idType()) return isString;
  if (named === schema.booleanType()) return isBoolean;
  if (named === schema.intType()) return Number.isSafeInteger;
  return named === schema.floatType() ? Number.isFinite : undefined;
}

interface Place extends Shape {
  name: string;
  parentType: CompositeType;
  inner: readonly SelectionSet[];
}

function compileValue(type: Type, place: Place): Complete {
  if (isNonNullType(type)) return compileNonNull(compileValue(type.ofType, place), type.ofType, place);
  if (isListType(type)) {
    return compileList(compileValue(type.ofType, place), type, plainCheckOf(type.ofType, place.schema));
  }
  if (isCompositeType(type)) return compileComposite(type, place);
  if (isScalarType(type) || isEnumType(type)) {
    return (value, run) => {
      if (value === null || isValidLeafValue(place.schema, value, type)) return value;
      report(run, `Invalid value found for ${describe(run, type, place)}.`);
      return REPORTED;
    };
  }
  throw new Error(`The type ${type.toString()} of ${place.name} is no output type`);
}

function compileNonNull(complete: Complete, type: Type, place: Place): Complete {
  return (value, run) => {
    const completed = complete(value, run);
    if (completed === REPORTED) return BUBBLE;
    if (completed !== null) return completed;
    report(run, `Cannot return null for non-nullable ${describe(run, type, place)}.`);
    return BUBBLE;
  };
}

function compileList(complete: Complete, type: Type, isPlain: IsPlain = () => false): Complete {
  return (value, run) => {
    if (value === null) return null;
    if (!Array.isArray(value))
      throw new Error(
        `Invalid non-list value ${JSON.stringify(value)} returned by subgraph for list type ${type.toString()}`,
      );
    let nullified = false;
    const deferredCount = run.deferred.length;
    const completed: unknown[] = [];
    for (let index = 0; index < value.length; index++) {
      const given: unknown = value[index];
      if (isPlain(given)) {
        completed.push(given);
        continue;
      }
      run.path.push(index);
      const element = complete(given, run);
      run.path.pop();
      if (element === BUBBLE) nullified = true;
      completed.push(element === REPORTED ? null : element);
    }
    if (!nullified) return completed;
    run.deferred.length = deferredCount;
    return REPORTED;
  };
}

function compileComposite(type: CompositeType, place: Place): Complete {
  const { schema, conditions, isIncremental } = place;
  const assemblies = compileObject(place.inner, type, { schema, conditions, isIncremental });
  return (value, run) => {
    if (value === null) return null;
    if (typeof value !== 'object')
      throw new Error(
        `Invalid non-object value ${JSON.stringify(value)} returned by subgraph for composite type ${type.toString()}`,
      );
    const input = value as JsonObject;
    const typename = input[TYPENAME];
    let assemble = assemblies.known.get(typename);
    if (assemble === undefined) {
      if (typename !== undefined && typeof typename !== 'string') {
        throw new Error(`Invalid non-string value ${JSON.stringify(typename)} for __typename at ${run.path.join()}`);
      }
      const named = typename ? schema.type(typename) : type;
      if (named === undefined || !isCompositeType(named)) {
        report(run, `Invalid __typename found for object at ${describe(run, type, place)}.`);
        return REPORTED;
      }
      assemble = assemblies.add(typename);
    }
    run.objectCount += 1;
    return assemble(input, run) ?? REPORTED;
  };
}

function describe({ path }: ShapeRun, type: Type, { parentType }: Place): string {
  const last = path.at(-1);
  return typeof last === 'string'
    ? `field ${parentType.toString()}.${last}`
    : `array element of type ${type.toString()} at index ${String(last)}`;
}

function report(run: ShapeRun, message: string): void {
  run.problems.push(ERRORS.INVALID_GRAPHQL.err(message, { path: [...run.path] }));
}
