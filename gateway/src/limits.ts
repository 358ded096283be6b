import {
  type DocumentNode,
  type FragmentDefinitionNode,
  GraphQLError,
  type GraphQLSchema,
  Kind,
  OperationTypeNode,
  parse,
  type SelectionSetNode,
  validate,
  type ValidationRule,
} from 'graphql';

// Larger documents are not parsed. The web app's largest has about 600 tokens, the introspection query 400.
export const MAX_TOKENS = 4_000;
/** Deeper operations are not planned. The introspection query has a depth of 14. */
const MAX_DEPTH = 20;
/** Operations with more selections, fragments expanded, are not planned: planning time grows with them. */
const MAX_SELECTIONS = 2_000;

/** Errors beyond this are not sent: a document full of them must not make a large answer. */
export const MAX_ERRORS = 5;

/**
 * The document of an operation, or why it is refused before it is validated and planned, whichever transport brought it.
 * Validation comes later: graphql's own rules take long on documents that this refuses, and throw on some.
 */
export function parseWithinLimits(schema: GraphQLSchema, query: string): DocumentNode | readonly GraphQLError[] {
  let document: DocumentNode;
  try {
    document = parse(query, { maxTokens: MAX_TOKENS });
  } catch (error) {
    if (error instanceof GraphQLError) return [withCode(error, 'GRAPHQL_PARSE_FAILED')];
    throw error;
  }
  const errors = validate(schema, document, [limitsRule, unconditionalSubscriptionRule], { maxErrors: MAX_ERRORS });
  return errors.length === 0 ? document : errors.map((error) => withCode(error, 'GRAPHQL_VALIDATION_FAILED'));
}

/** The same error with an `extensions.code`. */
export function withCode({ message, nodes, source, positions }: GraphQLError, code: string): GraphQLError {
  const place = { nodes: nodes ?? null, source: source ?? null, positions: positions ?? null };
  return new GraphQLError(message, { ...place, extensions: { code } });
}

/** What an operation costs to plan, its fragments expanded. */
interface Size {
  depth: number;
  selections: number;
}

/** Refuses operations that are too deep or too large once their fragments are expanded, in time linear in the document. */
const limitsRule: ValidationRule = (context) => ({
  Document(document) {
    for (const error of checkLimits(document)) context.reportError(error);
  },
});

function checkLimits(document: DocumentNode): GraphQLError[] {
  const measure = createMeasure(document);
  return document.definitions.flatMap((definition) => {
    if (definition.kind !== Kind.OPERATION_DEFINITION) return [];
    const { depth, selections } = measure(definition.selectionSet);
    return [
      ...(depth > MAX_DEPTH ? [tooLarge(`is ${depth} levels deep; the limit is ${MAX_DEPTH}`)] : []),
      ...(selections > MAX_SELECTIONS
        ? [tooLarge(`has more than ${MAX_SELECTIONS} selections, fragments expanded`)]
        : []),
    ];
  });
}

function createMeasure(document: DocumentNode): (set: SelectionSetNode) => Size {
  const fragments = fragmentsOf(document);
  const sizes = new Map<string, Size>();
  const measureFragment = (name: string): Size => {
    const known = sizes.get(name);
    if (known !== undefined) return known;
    // While it is under way it counts as nothing: a cycle is refused by validation itself.
    sizes.set(name, { depth: 0, selections: 0 });
    const fragment = fragments.get(name);
    const size = fragment === undefined ? { depth: 0, selections: 0 } : measure(fragment.selectionSet);
    sizes.set(name, size);
    return size;
  };
  const measure = (set: SelectionSetNode): Size => {
    const total = { depth: 0, selections: 0 };
    for (const selection of set.selections) {
      const inner =
        selection.kind === Kind.FRAGMENT_SPREAD
          ? measureFragment(selection.name.value)
          : selection.selectionSet === undefined
            ? { depth: 0, selections: 0 }
            : measure(selection.selectionSet);
      total.depth = Math.max(total.depth, inner.depth + (selection.kind === Kind.FIELD ? 1 : 0));
      total.selections += inner.selections + 1;
    }
    return total;
  };
  return measure;
}

/**
 * Refuses `@skip` and `@include` on the root field of a subscription, directly or around it: whether there is a
 * subscription at all would depend on a variable, and the planner throws.
 */
const unconditionalSubscriptionRule: ValidationRule = (context) => ({
  OperationDefinition(operation) {
    if (operation.operation !== OperationTypeNode.SUBSCRIPTION) return;
    const fragments = fragmentsOf(context.getDocument());
    const seen = new Set<string>();
    const check = (set: SelectionSetNode): void => {
      for (const selection of set.selections) {
        const condition = selection.directives?.find(({ name }) => name.value === 'skip' || name.value === 'include');
        if (condition !== undefined) {
          const message = `@${condition.name.value} is not allowed on the root field of a subscription.`;
          context.reportError(new GraphQLError(message, { nodes: condition }));
        }
        if (selection.kind === Kind.INLINE_FRAGMENT) check(selection.selectionSet);
        if (selection.kind === Kind.FRAGMENT_SPREAD && !seen.has(selection.name.value)) {
          seen.add(selection.name.value);
          const fragment = fragments.get(selection.name.value);
          if (fragment !== undefined) check(fragment.selectionSet);
        }
      }
    };
    check(operation.selectionSet);
  },
});

function fragmentsOf(document: DocumentNode): Map<string, FragmentDefinitionNode> {
  const definitions = document.definitions.filter((definition) => definition.kind === Kind.FRAGMENT_DEFINITION);
  return new Map(definitions.map((definition) => [definition.name.value, definition]));
}

function tooLarge(what: string): GraphQLError {
  return new GraphQLError(`The operation ${what}.`);
}
