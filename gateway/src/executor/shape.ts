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
/** Something that must not be null is: what holds it becomes null. */
const BUBBLE = Symbol('bubble');

type Complete = (value: unknown, run: ShapeRun) => unknown;
/** Writes one field; false when the whole object must become null. */
type Step = (input: JsonObject, output: JsonObject, run: ShapeRun) => boolean;

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
  const write = compileObject([operation.selectionSet], operation.parentType, shape);
  return (input, run) => {
    const output: JsonObject = {};
    return write(input, output, run) ? output : null;
  };
}

/** Each type that an object turns out to have gets its own list of steps, on first sight. */
function compileObject(sets: readonly SelectionSet[], declaredType: CompositeType, shape: Shape): Step {
  const stepsByType = new Map<string, readonly Step[]>();
  const compileSteps = (typename: string): readonly Step[] => {
    const type = typename === '' ? undefined : shape.schema.type(typename);
    const parentType = type !== undefined && isCompositeType(type) ? type : declaredType;
    const object = { typename: typename === '' ? undefined : typename, parentType, ...shape };
    const deferred: DeferredFragment[] = [];
    const onDeferred = { onDeferred: (fragment: DeferredFragment) => void deferred.push(fragment) };
    const fields = collectFields(sets, { ...object, ...(shape.isIncremental && onDeferred) });
    const steps = fields.map((field) => compileField(field, shape));
    if (deferred.length > 0) steps.push(noteDeferred(deferred));
    stepsByType.set(typename, steps);
    return steps;
  };
  return (input, output, run) => {
    const typename = input[TYPENAME] ?? '';
    if (typeof typename !== 'string') throw new Error(`Wanted a name as __typename, got ${JSON.stringify(typename)}`);
    const steps = stepsByType.get(typename) ?? compileSteps(typename);
    const deferredCount = run.deferred.length;
    for (const step of steps) {
      if (step(input, output, run)) continue;
      run.deferred.length = deferredCount;
      return false;
    }
    return true;
  };
}

function noteDeferred(fragments: readonly DeferredFragment[]): Step {
  return (_input, _output, { deferred, path }) => {
    for (const fragment of fragments) deferred.push({ fragment, path: [...path] });
    return true;
  };
}

function compileField({ selection, parentType, inner }: CollectedField, shape: Shape): Step {
  const name = selection.element.responseName();
  if (selection.element.name === TYPENAME) return compileTypename(name, parentType, shape.schema);
  const type = selection.element.definition.type;
  if (type === undefined) throw new Error(`The field ${name} has no type`);
  const complete = compileValue(type, { name, parentType, inner, ...shape });
  const inherited = name in Object.prototype;
  const isSurelyValid = compileLeafCheck(type, shape.schema);
  return (input, output, run) => {
    const value = inherited ? getOwn(input, name) : input[name];
    // Most fields: nothing to complete, and nothing that a path would have to be known for.
    if (isSurelyValid(value)) {
      output[name] = value;
      return true;
    }
    run.path.push(name);
    const completed = complete(value ?? null, run);
    run.path.pop();
    output[name] = completed === REPORTED || completed === BUBBLE ? null : completed;
    return completed !== BUBBLE;
  };
}

function compileTypename(name: string, parentType: CompositeType, schema: Schema): Step {
  const fallback = isObjectType(parentType) ? parentType.name : undefined;
  return (input, output) => {
    const told = getOwn(input, name) ?? (name === TYPENAME ? null : getOwn(input, TYPENAME)) ?? null;
    const type = typeof told === 'string' ? schema.type(told) : undefined;
    const typename = type === undefined ? fallback : isObjectType(type) ? type.name : undefined;
    if (typename === undefined) return false;
    output[name] = typename;
    return true;
  };
}

/** Whether a value of a leaf type is surely as it should be; what is not is looked at closer. */
function compileLeafCheck(type: Type, schema: Schema): (value: unknown) => boolean {
  const named = isNonNullType(type) ? type.ofType : type;
  if (named === schema.stringType()) return (value) => typeof value === 'string';
  if (named === schema.idType()) return (value) => typeof value === 'string';
  if (named === schema.booleanType()) return (value) => typeof value === 'boolean';
  if (named === schema.intType()) return Number.isSafeInteger;
  if (named === schema.floatType()) return Number.isFinite;
  return () => false;
}

interface Place extends Shape {
  name: string;
  parentType: CompositeType;
  inner: readonly SelectionSet[];
}

function compileValue(type: Type, place: Place): Complete {
  if (isNonNullType(type)) return compileNonNull(compileValue(type.ofType, place), type.ofType, place);
  if (isListType(type)) return compileList(compileValue(type.ofType, place), type);
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

function compileList(complete: Complete, type: Type): Complete {
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
      run.path.push(index);
      const element = complete(value[index], run);
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
  const write = compileObject(place.inner, type, { schema, conditions, isIncremental });
  const knownNames = new Set<unknown>();
  return (value, run) => {
    if (value === null) return null;
    if (typeof value !== 'object')
      throw new Error(
        `Invalid non-object value ${JSON.stringify(value)} returned by subgraph for composite type ${type.toString()}`,
      );
    const input = value as JsonObject;
    const typename = input[TYPENAME];
    if (!knownNames.has(typename)) {
      if (typename !== undefined && typeof typename !== 'string') {
        throw new Error(`Invalid non-string value ${JSON.stringify(typename)} for __typename at ${run.path.join()}`);
      }
      const named = typename ? place.schema.type(typename) : type;
      if (named === undefined || !isCompositeType(named)) {
        report(run, `Invalid __typename found for object at ${describe(run, type, place)}.`);
        return REPORTED;
      }
      knownNames.add(typename);
    }
    const output: JsonObject = {};
    run.objectCount += 1;
    return write(input, output, run) ? output : REPORTED;
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
