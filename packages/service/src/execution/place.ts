import { type FieldNode, type GraphQLResolveInfo, locatedError, type ResponsePath, responsePathAsArray } from 'graphql';
import type { FieldErrors } from './field-errors.ts';

/** One execution of a query. */
export interface Run {
  context: unknown;
  variables: Record<string, unknown>;
  errors: FieldErrors;
  /** What resolvers are told beside their own field. */
  shared: Pick<GraphQLResolveInfo, 'schema' | 'fragments' | 'rootValue' | 'operation' | 'variableValues'>;
}

/** Where in the answer one value stands. */
export interface Place {
  run: Run;
  /** Undefined at the root. */
  path: ResponsePath | undefined;
  /** What the field's resolver was told; undefined where it has none, and its type asks for nothing. */
  info: GraphQLResolveInfo | undefined;
  /** The fields of the object here that are still under way. */
  pending: Promise<unknown>[] | undefined;
}

/** The answer for a resolved value, or a promise of it. @throws where it cannot be given */
export type Complete = (value: unknown, place: Place) => unknown;

/** As graphql-js has it: whatever can be waited for. */
export function isPromise(value: unknown): value is Promise<unknown> {
  return typeof (value as Partial<Promise<unknown>> | null | undefined)?.then === 'function';
}

/** Of a field: where its errors point to, and whether it may be null for them. */
export interface Failing {
  nodes: readonly FieldNode[];
  isNullable: boolean;
}

/** What is answered in place of what failed: null. @throws the error with its place where that must not be null */
export function settleError(raw: unknown, { path, run }: Place, { nodes, isNullable }: Failing): null {
  const error = locatedError(raw, nodes, responsePathAsArray(path));
  if (!isNullable) throw error;
  run.errors.add(error, path);
  return null;
}
