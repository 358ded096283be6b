import {
  defaultTypeResolver,
  type FieldNode,
  GraphQLBoolean,
  GraphQLError,
  GraphQLFloat,
  GraphQLID,
  GraphQLInt,
  type GraphQLAbstractType,
  type GraphQLLeafType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  GraphQLString,
  isAbstractType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
} from 'graphql';
import { type Complete, isPromise, type Place, settleError } from './place.ts';

/** The field whose value is completed. */
export interface Completing {
  /** `Type.field` */
  coordinate: string;
  nodes: readonly FieldNode[];
  schema: GraphQLSchema;
  /** Completes objects of a type with what the field selects. */
  compileObject: (type: GraphQLObjectType) => Complete;
}

/** Completes values of a type (GraphQL specification, CompleteValue). */
export function compileComplete(type: GraphQLOutputType, field: Completing): Complete {
  if (isNonNullType(type)) {
    const complete = compileComplete(type.ofType, field);
    return (value, place) => {
      const completed = complete(value, place);
      if (completed === null) throw new Error(`Cannot return null for non-nullable field ${field.coordinate}.`);
      return completed;
    };
  }
  const complete = compilePresent(type, field);
  return (value, place) => {
    if (value instanceof Error) throw value;
    return value === null || value === undefined ? null : complete(value, place);
  };
}

function compilePresent(type: GraphQLOutputType, field: Completing): Complete {
  if (isListType(type)) return compileList(type.ofType, field);
  if (isLeafType(type)) return (value) => serialize(type, value);
  if (isObjectType(type)) return field.compileObject(type);
  if (isAbstractType(type)) return compileAbstract(type, field);
  throw new Error(`Wanted an output type for ${field.coordinate}, got ${String(type)}`);
}

function serialize(type: GraphQLLeafType, value: unknown): unknown {
  const serialized: unknown = type.serialize(value);
  if (serialized === null || serialized === undefined) {
    throw new Error(`Wanted a value of ${type.name}, got ${String(serialized)} from its serialize`);
  }
  return serialized;
}

const isString = (value: unknown): boolean => typeof value === 'string';

/** Which values the scalars that every schema has are written for as they are. */
const PLAIN = new Map<GraphQLOutputType, (value: unknown) => boolean>([
  [GraphQLString, isString],
  [GraphQLID, isString],
  [GraphQLBoolean, (value) => typeof value === 'boolean'],
  // oxlint-disable-next-line no-bitwise -- an integer of 32 bits is what this leaves as it is
  [GraphQLInt, (value) => typeof value === 'number' && (value | 0) === value],
  [GraphQLFloat, Number.isFinite],
]);

/** Whether a value is answered as it is; undefined for types of which that takes a closer look. */
export function plainCheckOf(type: GraphQLOutputType): ((value: unknown) => boolean) | undefined {
  return PLAIN.get(isNonNullType(type) ? type.ofType : type);
}

function compileList(elementType: GraphQLOutputType, field: Completing): Complete {
  const complete = compileComplete(elementType, field);
  const isPlain = plainCheckOf(elementType) ?? (() => false);
  const failing = { nodes: field.nodes, isNullable: !isNonNullType(elementType) };
  return (value, { run, path, info }) => {
    if (!isIterable(value)) throw new GraphQLError(`Wanted a list for ${field.coordinate}, got ${typeof value}.`);
    const pending: Promise<unknown>[] = [];
    const completeElement = (element: unknown, key: number): unknown => {
      if (isPlain(element)) return element;
      const place: Place = { run, path: { prev: path, key, typename: undefined }, info, pending: undefined };
      try {
        const completed = isPromise(element)
          ? element.then((settled) => complete(settled, place))
          : complete(element, place);
        if (!isPromise(completed)) return completed;
        const settled = completed.then(undefined, (error: unknown) => settleError(error, place, failing));
        pending.push(settled);
        return settled;
      } catch (error) {
        return settleError(error, place, failing);
      }
    };
    try {
      const completed = Array.from(value, completeElement);
      return pending.length > 0 ? Promise.all(completed) : completed;
    } catch (error) {
      // The list has failed: nobody waits for its other elements.
      for (const element of pending) element.catch(() => undefined);
      throw error;
    }
  };
}

function isIterable(value: unknown): value is Iterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value;
}

function compileAbstract(type: GraphQLAbstractType, field: Completing): Complete {
  const completes = new Map<unknown, Complete>();
  const completeFor = (name: unknown): Complete => {
    const known = completes.get(name);
    if (known !== undefined) return known;
    const named = typeof name === 'string' ? field.schema.getType(name) : undefined;
    if (!isObjectType(named) || !field.schema.isSubType(type, named)) {
      throw new GraphQLError(`Wanted a type of ${type.name} for ${field.coordinate}, got ${String(name)}.`);
    }
    const complete = field.compileObject(named);
    completes.set(name, complete);
    return complete;
  };
  const resolveType = type.resolveType ?? defaultTypeResolver;
  return (value, place) => {
    const { info, run } = place;
    if (info === undefined) throw new Error(`${field.coordinate} is not told of its place`);
    const name = resolveType(value, run.context, info, type);
    return isPromise(name)
      ? name.then((settled) => completeFor(settled)(value, place))
      : completeFor(name)(value, place);
  };
}
