import {
  type GraphQLInputType,
  type GraphQLSchema,
  isEnumType,
  isInputObjectType,
  isInputType,
  isListType,
  isNonNullType,
  type OperationDefinitionNode,
  typeFromAST,
} from 'graphql';
import { isObject } from './executor/json.ts';

/** Whether a value surely fits; what is doubted is for graphql-js to judge, and to explain. */
type Fits = (value: unknown) => boolean;

const LARGEST_INT = 2 ** 31 - 1;

const isInt: Fits = (value) => Number.isInteger(value) && Math.abs(Number(value)) <= LARGEST_INT;

const SCALARS: Readonly<Record<string, Fits>> = {
  Int: isInt,
  Float: (value) => typeof value === 'number' && Number.isFinite(value),
  String: (value) => typeof value === 'string',
  ID: (value) => typeof value === 'string' || isInt(value),
  Boolean: (value) => typeof value === 'boolean',
};

/** The types of one schema, each compiled once: input types may hold themselves. */
type Compiled = Map<GraphQLInputType, { fits: Fits }>;

/**
 * Says of an operation's variables whether graphql-js would take them, without the copy that it makes of them to say so.
 * False is no refusal: it may be that they have to be looked at closer.
 */
export function compileVariableCheck(
  schema: GraphQLSchema,
  { variableDefinitions = [] }: OperationDefinitionNode,
): (variables: Readonly<Record<string, unknown>>) => boolean {
  const compiled: Compiled = new Map();
  const checks = variableDefinitions.map(({ variable, type: node, defaultValue }) => {
    const type = typeFromAST(schema, node);
    const fits = isInputType(type) ? compile(type, compiled) : () => false;
    return { name: variable.name.value, fits, hasDefault: defaultValue !== undefined };
  });
  return (variables) =>
    checks.every(({ name, fits, hasDefault }) =>
      Object.hasOwn(variables, name) ? fits(variables[name]) : hasDefault || fits(undefined),
    );
}

function compile(type: GraphQLInputType, compiled: Compiled): Fits {
  const known = compiled.get(type);
  if (known !== undefined) return (value) => known.fits(value);
  const entry = { fits: (_value: unknown): boolean => false };
  compiled.set(type, entry);
  entry.fits = compileAnew(type, compiled);
  return entry.fits;
}

function compileAnew(type: GraphQLInputType, compiled: Compiled): Fits {
  if (isNonNullType(type)) {
    const fits = compile(type.ofType, compiled);
    return (value) => value !== null && value !== undefined && fits(value);
  }
  const fits = compileNullable(type, compiled);
  return (value) => value === null || value === undefined || fits(value);
}

function compileNullable(type: GraphQLInputType, compiled: Compiled): Fits {
  if (isListType(type)) {
    const fits = compile(type.ofType, compiled);
    return (value) => Array.isArray(value) && value.every(fits);
  }
  if (isEnumType(type)) {
    const names = new Set(type.getValues().map(({ name }) => name));
    return (value) => typeof value === 'string' && names.has(value);
  }
  if (!isInputObjectType(type)) return SCALARS[type.toString()] ?? (() => false);
  // That exactly one field is given is graphql-js's to say.
  if (type.isOneOf) return () => false;
  const fields = Object.values(type.getFields()).map((field) => ({
    name: field.name,
    fits: compile(field.type, compiled),
    hasDefault: field.defaultValue !== undefined,
  }));
  const names = new Set(fields.map(({ name }) => name));
  return (value) =>
    isObject(value) &&
    Object.keys(value).every((name) => names.has(name)) &&
    fields.every(({ name, fits, hasDefault }) => {
      const own = Object.hasOwn(value, name) ? value[name] : undefined;
      return own === undefined && hasDefault ? true : fits(own);
    });
}
