import {
  type DocumentNode,
  type ExecutionResult,
  type FragmentDefinitionNode,
  getVariableValues,
  type GraphQLError,
  type GraphQLSchema,
  isObjectType,
  Kind,
  OperationTypeNode,
  visit,
} from 'graphql';
import { compileObject } from './compile-object.ts';
import { FieldErrors } from './field-errors.ts';
import { isPromise, type Run } from './place.ts';

/** Answers a query as graphql-js would, but that its objects have a prototype. */
export type ExecuteQuery = (
  variables: Record<string, unknown>,
  context: unknown,
) => ExecutionResult | Promise<ExecutionResult>;

/** As many as graphql-js reports of one operation. */
const MAX_VARIABLE_ERRORS = 50;

/**
 * A valid document with one query as one function (ADR 44): what does not change from one request to the next is looked
 * up once, and objects are assembled by code of their own. Undefined for what is left to graphql-js: mutations, whose
 * fields wait for each other, introspection, directives, which make what is selected depend on variables, and schemas
 * with `isTypeOf`.
 */
export function compileQuery(schema: GraphQLSchema, document: DocumentNode): ExecuteQuery | undefined {
  const [operation, ...others] = document.definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION);
  const queryType = schema.getQueryType();
  if (operation?.kind !== Kind.OPERATION_DEFINITION || others.length > 0 || !queryType) return undefined;
  if (operation.operation !== OperationTypeNode.QUERY || !isPlain(document) || asksForType(schema)) return undefined;
  const fragments = fragmentsOf(document);
  const answer = compileObject(queryType, [operation.selectionSet], { schema, fragments });
  const { variableDefinitions = [] } = operation;
  return (given, context) => {
    const { coerced, errors: wrong } = getVariableValues(schema, variableDefinitions, given, {
      maxErrors: MAX_VARIABLE_ERRORS,
    });
    if (coerced === undefined) return { errors: wrong };
    const errors = new FieldErrors();
    const shared = { schema, fragments, rootValue: undefined, operation, variableValues: coerced };
    const run: Run = { context, variables: coerced, errors, shared };
    const fail = (error: unknown): ExecutionResult => {
      // What a field threw was given its place by it.
      errors.add(error as GraphQLError, undefined);
      return resultOf(null, errors);
    };
    try {
      const data = answer(undefined, { run, path: undefined, info: undefined, pending: undefined });
      return isPromise(data) ? data.then((settled) => resultOf(settled, errors), fail) : resultOf(data, errors);
    } catch (error) {
      return fail(error);
    }
  };
}

function resultOf(data: unknown, { list }: FieldErrors): ExecutionResult {
  const answered = data as ExecutionResult['data'] & {};
  return list.length === 0 ? { data: answered } : { errors: list, data: answered };
}

/** Whether what is selected is the same for all variables, and of the types themselves nothing but their names. */
function isPlain(document: DocumentNode): boolean {
  let isSuch = true;
  const refuse = () => void (isSuch = false);
  visit(document, {
    Directive: refuse,
    Field: ({ name: { value } }) => {
      if (value.startsWith('__') && value !== '__typename') refuse();
    },
  });
  return isSuch;
}

function asksForType(schema: GraphQLSchema): boolean {
  return Object.values(schema.getTypeMap()).some((type) => isObjectType(type) && type.isTypeOf);
}

function fragmentsOf({ definitions }: DocumentNode): Record<string, FragmentDefinitionNode> {
  const named = definitions.flatMap((node) =>
    node.kind === Kind.FRAGMENT_DEFINITION ? [[node.name.value, node] as const] : [],
  );
  return Object.assign(Object.create(null), Object.fromEntries(named)) as Record<string, FragmentDefinitionNode>;
}
