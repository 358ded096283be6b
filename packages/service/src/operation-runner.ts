import { AppError } from '@kindred/domain/app-error';
import {
  type DocumentNode,
  execute,
  type ExecutionResult,
  type FormattedExecutionResult,
  getOperationAST,
  GraphQLError,
  type GraphQLSchema,
  NoSchemaIntrospectionCustomRule,
  OperationTypeNode,
  parse,
  specifiedRules,
  validate,
} from 'graphql';
import { compileQuery, type ExecuteQuery } from './execution/compile-query.ts';
import { type FormatError, toFormattedError } from './format-error.ts';
import { LruCache } from './lru-cache.ts';

interface Parameters {
  query: string;
  operationName: string | null;
  variables: Record<string, unknown>;
}

export interface OperationAnswer {
  status: number;
  result: FormattedExecutionResult;
}

/** Runs one query or mutation of a body that was parsed as JSON. @throws AppError BAD_USER_INPUT when it is no operation. */
export type RunOperation = (body: unknown, context: object) => Promise<OperationAnswer>;

/** The gateway's plans name this many texts at most; each is parsed and validated once. */
const DOCUMENTS_KEPT = 2_000;
const TEXT_KEPT_CHARS = 32 * 1024 * 1024;
const RULES = [...specifiedRules, NoSchemaIntrospectionCustomRule];

type Prepared =
  | { document: DocumentNode; executeQuery: ExecuteQuery | undefined }
  | { errors: readonly GraphQLError[] };

/**
 * Runs operations on a schema, each text parsed and validated once. What the gateway sends are the fetches of its plans:
 * few texts, many times, so that what a general GraphQL server does for each request would be most of the work.
 */
export function createOperationRunner(options: { schema: GraphQLSchema; formatError: FormatError }): RunOperation {
  const { schema, formatError } = options;
  const prepared = new LruCache<Prepared>({ capacity: DOCUMENTS_KEPT, maxWeight: TEXT_KEPT_CHARS });
  const prepare = (text: string): Prepared => {
    const known = prepared.get(text);
    if (known !== undefined) return known;
    const fresh = prepareOperation(schema, text);
    prepared.set(text, fresh, text.length);
    return fresh;
  };
  const format = (errors: readonly GraphQLError[]) => errors.map((error) => toFormattedError(error, formatError));
  return async (body, context) => {
    const { query, operationName, variables } = readParameters(body);
    const known = prepare(query);
    if ('errors' in known) return { status: 400, result: { errors: format(known.errors) } };
    const { document, executeQuery } = known;
    const refusal = refuseOperation(document, operationName);
    if (refusal !== null) return { status: 400, result: { errors: format([refusal]) } };
    const request = { schema, document, contextValue: context, variableValues: variables, operationName };
    const result = await (executeQuery === undefined ? execute(request) : executeQuery(variables, context));
    return answerOf(result, format);
  };
}

/** Checked by hand: a schema library would copy the variables of every request. */
function readParameters(body: unknown): Parameters {
  if (isRecord(body)) {
    const { query, operationName = null, variables } = body;
    const isNamed = operationName === null || typeof operationName === 'string';
    const hasVariables = variables === undefined || variables === null || isRecord(variables);
    if (typeof query === 'string' && isNamed && hasVariables)
      return { query, operationName, variables: variables ?? {} };
  }
  throw new AppError(
    'BAD_USER_INPUT',
    'Wanted a JSON object with `query`, and `operationName` and `variables` if any.',
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function prepareOperation(schema: GraphQLSchema, text: string): Prepared {
  try {
    const document = parse(text);
    const errors = validate(schema, document, RULES);
    if (errors.length === 0) return { document, executeQuery: compileQuery(schema, document) };
    return { errors: errors.map((error) => withCode(error, 'GRAPHQL_VALIDATION_FAILED')) };
  } catch (error) {
    if (error instanceof GraphQLError) return { errors: [withCode(error, 'GRAPHQL_PARSE_FAILED')] };
    throw error;
  }
}

function refuseOperation(document: DocumentNode, operationName: string | null): GraphQLError | null {
  const operation = getOperationAST(document, operationName);
  const code = 'OPERATION_RESOLUTION_FAILURE';
  if (!operation)
    return new GraphQLError('Wanted one operation, or the name of one of several.', { extensions: { code } });
  if (operation.operation !== OperationTypeNode.SUBSCRIPTION) return null;
  return new GraphQLError('Subscriptions are served as streams.', { extensions: { code } });
}

/** Without data nothing was run: the variables do not fit the operation, or what must not be null is. */
function answerOf(
  { data, errors }: ExecutionResult,
  format: (errors: readonly GraphQLError[]) => FormattedExecutionResult['errors'],
): OperationAnswer {
  if (data === undefined) {
    const coded = (errors ?? []).map((error) => (error.originalError ? error : withCode(error, 'BAD_USER_INPUT')));
    return { status: 400, result: { errors: format(coded) ?? [] } };
  }
  return { status: 200, result: errors === undefined ? { data } : { data, errors: format(errors) ?? [] } };
}

function withCode(error: GraphQLError, code: string): GraphQLError {
  const { message, nodes, source, positions, path } = error;
  const place = { nodes: nodes ?? null, source: source ?? null, positions: positions ?? null, path: path ?? null };
  return new GraphQLError(message, { ...place, extensions: { code } });
}
