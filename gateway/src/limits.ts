import {
  type DocumentNode,
  type ExecutionResult,
  GraphQLError,
  Kind,
  Lexer,
  OperationTypeNode,
  parse,
  type SelectionSetNode,
  Source,
  TokenKind,
} from 'graphql';
import { createMeasure, fragmentsOf, type OperationSize } from './operation-size.ts';

// Larger documents are not parsed. The web app's largest has about 600 tokens, the introspection query 400.
export const MAX_TOKENS = 4_000;

/** An answer holds no more errors than this: a request full of mistakes must not make a large one. */
const MAX_ERRORS = 5;
/** For graphql-js, which adds one error that says that there are more. */
export const ERRORS_BEFORE_GIVING_UP = MAX_ERRORS - 1;

/** Larger operations, their fragments expanded, are neither validated nor planned. The introspection query has a depth of 14. */
const LIMITS: Record<keyof OperationSize, { most: number; what: string }> = {
  depth: { most: 20, what: 'levels' },
  selections: { most: 1_000, what: 'selections' },
  aliases: { most: 60, what: 'aliases' },
  directives: { most: 60, what: 'directives' },
  // Each is planned, fetched and answered apart.
  defers: { most: 20, what: 'deferred fragments' },
  repetitions: { most: 30, what: 'fields of one name in one selection set' },
  rootFields: { most: 20, what: 'root fields' },
};
const MAX_DEFINITIONS = 100;
/** Brackets within brackets, of any kind: graphql-js parses by recursion, and a few thousand overflow its stack. */
const MAX_NESTING = 64;

/** Dearer operations are not planned: two hundred objects of each of fifty users are affordable. See `OperationCosts`. */
const MAX_COST = 12_000;

/**
 * The document of an operation, or why it is refused before it is validated and planned, whichever transport brought it.
 * Validation comes later: graphql's own rules take long on documents that this refuses, and throw on some.
 */
export function parseWithinLimits(query: string): DocumentNode | readonly GraphQLError[] {
  let document: DocumentNode;
  try {
    const tooDeep = checkNesting(query);
    if (tooDeep !== undefined) return [withCode(tooDeep, 'GRAPHQL_PARSE_FAILED')];
    document = parse(query, { maxTokens: MAX_TOKENS });
  } catch (error) {
    if (error instanceof GraphQLError) return [withCode(error, 'GRAPHQL_PARSE_FAILED')];
    throw error;
  }
  const errors = [...checkSize(document), ...checkSubscriptions(document)].slice(0, MAX_ERRORS);
  return errors.length === 0 ? document : errors.map((error) => withCode(error, 'GRAPHQL_VALIDATION_FAILED'));
}

/** Why the operation is too dear for these variables; undefined when it is not. The document must be valid. */
export function checkCost(cost: number): GraphQLError | undefined {
  if (cost <= MAX_COST) return undefined;
  const message = `The operation costs ${cost} points; the limit is ${MAX_COST}. Ask for shorter lists.`;
  return new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT', http: { status: 400 } } });
}

/**
 * The result with no more errors than an answer holds; how many are left out is said in its extensions. `given` is how
 * many the answer holds already, where this is a part of it.
 */
export function capErrors(result: ExecutionResult, given = 0): ExecutionResult {
  const { errors } = result;
  const most = Math.max(0, MAX_ERRORS - given);
  if (errors === undefined || errors.length <= most) return result;
  const extensions = { ...result.extensions, errorsLeftOut: errors.length - most };
  return { ...result, errors: errors.slice(0, most), extensions };
}

/** The same error with an `extensions.code`. */
export function withCode({ message, nodes, source, positions }: GraphQLError, code: string): GraphQLError {
  const place = { nodes: nodes ?? null, source: source ?? null, positions: positions ?? null };
  return new GraphQLError(message, { ...place, extensions: { code } });
}

/** A message of graphql-js without its guesses at what was meant, which name parts of the schema. */
export function withoutSuggestions(message: string): string {
  return message.replace(/ ?Did you mean .*$/s, '');
}

function checkNesting(query: string): GraphQLError | undefined {
  const lexer = new Lexer(new Source(query));
  let nesting = 0;
  for (let count = 0; count <= MAX_TOKENS; count++) {
    const { kind } = lexer.advance();
    if (kind === TokenKind.EOF) return undefined;
    if (kind === TokenKind.BRACE_L || kind === TokenKind.BRACKET_L || kind === TokenKind.PAREN_L) nesting += 1;
    if (kind === TokenKind.BRACE_R || kind === TokenKind.BRACKET_R || kind === TokenKind.PAREN_R) nesting -= 1;
    if (nesting > MAX_NESTING) return tooLarge(`it has more than ${MAX_NESTING} brackets within each other`);
  }
  // The parser says how many tokens are too many.
  return undefined;
}

function checkSize(document: DocumentNode): GraphQLError[] {
  if (document.definitions.length > MAX_DEFINITIONS) {
    return [tooLarge(`a document has more than ${MAX_DEFINITIONS} definitions`)];
  }
  const measure = createMeasure(document);
  const reasons = document.definitions.flatMap((definition) => {
    if (!('selectionSet' in definition)) return [];
    const size = measure(definition.selectionSet);
    const own = size.directives + (definition.directives?.length ?? 0);
    return Object.entries({ ...size, directives: own }).flatMap(([name, value]) => {
      const { most, what } = LIMITS[name as keyof OperationSize];
      // The root fields of a fragment are those of an operation only where it is spread there.
      if (value <= most || (name === 'rootFields' && definition.kind !== Kind.OPERATION_DEFINITION)) return [];
      return [`it has more than ${most} ${what}, fragments expanded`];
    });
  });
  return [...new Set(reasons)].map(tooLarge);
}

/**
 * Refuses `@skip` and `@include` on the root field of a subscription, directly or around it: whether there is a
 * subscription at all would depend on a variable, and the planner throws.
 */
function checkSubscriptions(document: DocumentNode): GraphQLError[] {
  const fragments = fragmentsOf(document);
  const errors: GraphQLError[] = [];
  const seen = new Set<string>();
  const check = (set: SelectionSetNode): void => {
    for (const selection of set.selections) {
      const condition = selection.directives?.find(({ name }) => name.value === 'skip' || name.value === 'include');
      if (condition !== undefined) {
        const message = `@${condition.name.value} is not allowed on the root field of a subscription.`;
        errors.push(new GraphQLError(message, { nodes: condition }));
      }
      if (selection.kind === Kind.INLINE_FRAGMENT) check(selection.selectionSet);
      if (selection.kind === Kind.FRAGMENT_SPREAD && !seen.has(selection.name.value)) {
        seen.add(selection.name.value);
        const fragment = fragments.get(selection.name.value);
        if (fragment !== undefined) check(fragment.selectionSet);
      }
    }
  };
  for (const definition of document.definitions) {
    const { kind } = definition;
    if (kind === Kind.OPERATION_DEFINITION && definition.operation === OperationTypeNode.SUBSCRIPTION) {
      check(definition.selectionSet);
    }
  }
  return errors;
}

function tooLarge(what: string): GraphQLError {
  return new GraphQLError(`The operation is too large: ${what}.`);
}
