import {
  type DocumentNode,
  getOperationAST,
  getVariableValues,
  GraphQLError,
  type GraphQLSchema,
  Kind,
  NoSchemaIntrospectionCustomRule,
  type OperationDefinitionNode,
  type SelectionSetNode,
  specifiedRules,
  validate,
} from 'graphql';
import type { Executor, PlannedOperation } from './executor/executor.ts';
import { checkCost, ERRORS_BEFORE_GIVING_UP, parseWithinLimits, withCode, withoutSuggestions } from './limits.ts';
import { LruCache } from '@kindred/service/lru-cache';
import { OperationCosts } from './operation-cost.ts';
import { fragmentsOf } from './operation-size.ts';
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
  /** Parses, limits, validates and plans; once for each document and name. Nothing is sent to a subgraph. */
  prepare(query: string, operationName: string | undefined): PreparedOperation | Refusal;
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
// As many as two thousand operations of the web app's size; a plan weighs about eight times its document.
const CACHE = { capacity: 2_000, maxWeight: 4 * 1024 * 1024 };
// Whoever sends the same mistake again is told the same again.
const REFUSAL_CACHE = { capacity: 500, maxWeight: 1024 * 1024 };

export function createOperations(
  executor: Executor,
  { hideSchema }: { /** Whether answers must not tell of the schema. */ hideSchema: boolean },
): Operations {
  const { schema } = executor;
  const costs = new OperationCosts(schema);
  const rules = hideSchema ? [...specifiedRules, NoSchemaIntrospectionCustomRule] : specifiedRules;
  const prepared = new LruCache<PreparedOperation>(CACHE);
  const refused = new LruCache<Refusal>(REFUSAL_CACHE);

  const wrong = (errors: Refusal, code: string): Refusal =>
    errors.map((error) => withCode(hideSchema ? withoutSuggestion(error) : error, code));

  const build = (query: string, operationName: string | undefined): PreparedOperation | Refusal => {
    const document = parseWithinLimits(query);
    if (!('definitions' in document)) return document;
    const errors = validate(schema, document, rules, { maxErrors: ERRORS_BEFORE_GIVING_UP });
    if (errors.length > 0) return wrong(errors, 'GRAPHQL_VALIDATION_FAILED');
    const node = getOperationAST(document, operationName);
    if (!node) {
      const message = 'Wanted one operation, or an operationName that the document holds.';
      return [new GraphQLError(message, { extensions: { code: 'OPERATION_RESOLUTION_FAILURE' } })];
    }
    const failsClosed = rootFieldsOf(document, node).some((name) => FAIL_CLOSED.has(name));
    const fits = compileVariableCheck(schema, node);
    return { document, node, planned: executor.prepare(document, operationName), fits, failsClosed };
  };

  return {
    schema,
    preparedCount: () => prepared.size,
    prepare: (query, operationName) => {
      const key = keyOf(query, operationName);
      const known = prepared.get(key) ?? refused.get(key);
      if (known !== undefined) return known;
      const built = build(query, operationName);
      if (!('planned' in built)) {
        refused.set(key, built, key.length);
        return built;
      }
      prepared.set(key, built, key.length);
      // The same operation, whether it is named or not.
      const name = built.node.name?.value;
      if (operationName === undefined && name !== undefined) {
        const named = keyOf(query, name);
        prepared.set(named, built, named.length);
      }
      return built;
    },
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

function keyOf(query: string, operationName: string | undefined): string {
  return operationName === undefined ? query : `${operationName}\n${query}`;
}

/** The names of an operation's root fields, wherever in its fragments they stand. The document must be valid. */
function rootFieldsOf(document: DocumentNode, { selectionSet }: OperationDefinitionNode): string[] {
  const fragments = fragmentsOf(document);
  const namesIn = (set: SelectionSetNode | undefined): string[] =>
    (set?.selections ?? []).flatMap((selection) => {
      if (selection.kind === Kind.FIELD) return [selection.name.value];
      if (selection.kind === Kind.INLINE_FRAGMENT) return namesIn(selection.selectionSet);
      return namesIn(fragments.get(selection.name.value)?.selectionSet);
    });
  return namesIn(selectionSet);
}

function withoutSuggestion({ message, nodes, source, positions }: GraphQLError): GraphQLError {
  const place = { nodes: nodes ?? null, source: source ?? null, positions: positions ?? null };
  return new GraphQLError(withoutSuggestions(message), place);
}
