import {
  type DocumentNode,
  getOperationAST,
  getVariableValues,
  GraphQLError,
  type GraphQLSchema,
  NoSchemaIntrospectionCustomRule,
  type OperationDefinitionNode,
  OperationTypeNode,
  specifiedRules,
  validate,
} from 'graphql';
import { DEFER_RULES } from './defer-rules.ts';
import type { Executor, PlannedOperation } from './executor/executor.ts';
import { checkCost, ERRORS_BEFORE_GIVING_UP, parseWithinLimits, withCode, withoutSuggestions } from './limits.ts';
import { createOperationCache } from './operation-cache.ts';
import { OperationCosts } from './operation-cost.ts';
import { rootFieldsOf } from './operation-size.ts';
import type { Planner, PlannerRequest } from './planning/planner.ts';
import { SlowPlanError } from './planning/planning.ts';
import { compileVariableCheck } from './variable-check.ts';

/** An operation that passed every check which does not depend on its variables, with its plan. */
export interface PreparedOperation {
  document: DocumentNode;
  node: OperationDefinitionNode;
  planned: PlannedOperation;
  /** Whether variables surely fit; see `compileVariableCheck`. */
  fits: (variables: Readonly<Record<string, unknown>>) => boolean;
  /** Whether it is not served while nobody can say whether its caller has asked too often. */
  failsClosed: boolean;
  /** How many answers with recommendations it asks for. */
  recommendations: number;
  /** Whether it holds documents that would be published; see `checkPublication`. */
  publishes: boolean;
}

/** Why a request is wrong in itself. */
export type Refusal = readonly GraphQLError[];

/** Values that passed every check, and what the operation costs with them. */
export interface Admission {
  cost: number;
}

/** The way of an operation from its text to its plan, the same over every transport. */
export interface Operations {
  schema: GraphQLSchema;
  /** What `prepare` said of it before, where that is still known. */
  known(query: string, operationName: string | undefined): PreparedOperation | Refusal | undefined;
  /**
   * Parses, limits, validates and plans; once for each document and name. Nothing is sent to a subgraph. `isPatient`
   * waits as long as planning takes. @throws AppError UNAVAILABLE when nothing can be planned now
   */
  prepare(
    query: string,
    operationName: string | undefined,
    options?: { isPatient?: boolean },
  ): Promise<PreparedOperation | Refusal>;
  /** Whether the variables fit the operation, and are not asking for too much. */
  admit(prepared: PreparedOperation, variables: Record<string, unknown>): Admission | Refusal;
  /** How many operations are kept ready. */
  preparedCount(): number;
}

/** Guessing passwords, making keys and using up machines: what must never go uncounted. */
export const FAIL_CLOSED: ReadonlySet<string> = new Set([
  'signIn',
  'signUp',
  'acceptInvitation',
  'createApiKey',
  'rotateApiKey',
  'trainModel',
]);
/** The fields of Query whose answer is one recommendation. */
const RECOMMENDING: ReadonlySet<string> = new Set(['recommend', 'similarItems']);
/** The mutation that makes documents run for a tenant's publishable keys. */
export const PUBLISH = 'publishDocuments';

/** What a document is told that the planner needs too long for; see `isTooComplex`. */
const TOO_COMPLEX = new GraphQLError('Planning the operation takes too long. Ask for less in one operation.', {
  extensions: { code: 'OPERATION_TOO_COMPLEX' },
});

/** Whether the operation was refused for the time that planning it would take. */
export function isTooComplex(refusal: Refusal): boolean {
  return refusal.includes(TOO_COMPLEX);
}

export interface OperationsOptions {
  planner: Planner;
  /** Whether answers must not tell of the schema. */
  hideSchema: boolean;
}

export function createOperations(executor: Executor, options: OperationsOptions): Operations {
  const { schema } = executor;
  const costs = new OperationCosts(schema);
  const cache = createOperationCache();
  const wrong = (errors: Refusal, code: string): Refusal =>
    errors.map((error) => withCode(options.hideSchema ? withoutSuggestion(error) : error, code));
  const build = createBuild(executor, { ...options, wrong });
  return {
    schema,
    preparedCount: () => cache.preparedCount(),
    known: (query, operationName) => cache.known(query, operationName),
    prepare: (query, operationName, { isPatient = false } = {}) =>
      cache.get(query, operationName, () => build({ query, operationName, isPatient })),
    admit: ({ document, node, fits }, variables) => {
      const { variableDefinitions = [] } = node;
      if (!fits(variables)) {
        const limit = { maxErrors: ERRORS_BEFORE_GIVING_UP };
        const { errors } = getVariableValues(schema, variableDefinitions, variables, limit);
        if (errors !== undefined) return wrong(errors, 'BAD_USER_INPUT');
      }
      const cost = costs.of(document, node, variables);
      const tooDear = checkCost(cost);
      return tooDear === undefined ? { cost } : [tooDear];
    },
  };
}

/** The way of a document through every check to its plan. */
function createBuild(
  executor: Executor,
  {
    planner,
    hideSchema,
    wrong,
  }: OperationsOptions & { wrong: (errors: readonly GraphQLError[], code: string) => Refusal },
) {
  const { schema } = executor;
  const rules = [...specifiedRules, ...DEFER_RULES, ...(hideSchema ? [NoSchemaIntrospectionCustomRule] : [])];
  return async (request: Omit<PlannerRequest, 'isShared'>): Promise<PreparedOperation | Refusal> => {
    const { query, operationName } = request;
    const document = parseWithinLimits(query);
    if (!('definitions' in document)) return document;
    const errors = validate(schema, document, rules, { maxErrors: ERRORS_BEFORE_GIVING_UP });
    if (errors.length > 0) return wrong(errors, 'GRAPHQL_VALIDATION_FAILED');
    const node = getOperationAST(document, operationName);
    if (!node) {
      const message = 'Wanted one operation, or an operationName that the document holds.';
      return [new GraphQLError(message, { extensions: { code: 'OPERATION_RESOLUTION_FAILURE' } })];
    }
    const rootFields = rootFieldsOf(document, node).map(({ name }) => name.value);
    const failsClosed = rootFields.some((name) => FAIL_CLOSED.has(name));
    const publishes = rootFields.includes(PUBLISH);
    const recommendations = rootFields.filter((name) => RECOMMENDING.has(name)).length;
    // A mutation's literals may be passwords.
    const isShared = node.operation !== OperationTypeNode.MUTATION;
    try {
      const plan = await planner({ ...request, isShared });
      const planned = executor.prepare(document, operationName, plan);
      const fits = compileVariableCheck(schema, node);
      return { document, node, planned, fits, failsClosed, publishes, recommendations };
    } catch (error) {
      if (error instanceof SlowPlanError) return [TOO_COMPLEX];
      throw error;
    }
  };
}

function withoutSuggestion({ message, nodes, source, positions }: GraphQLError): GraphQLError {
  const place = { nodes: nodes ?? null, source: source ?? null, positions: positions ?? null };
  return new GraphQLError(withoutSuggestions(message), place);
}
