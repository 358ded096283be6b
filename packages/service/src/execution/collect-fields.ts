import {
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLObjectType,
  type GraphQLSchema,
  type InlineFragmentNode,
  isAbstractType,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
  typeFromAST,
} from 'graphql';

export interface Selecting {
  schema: GraphQLSchema;
  /** By name. */
  fragments: Readonly<Record<string, FragmentDefinitionNode>>;
}

/**
 * What is selected of an object of a type: the nodes of each response name, in the order in which they are answered
 * (GraphQL specification, CollectFields). Of a document without directives: with them it would depend on variables.
 */
export function collectFields(
  type: GraphQLObjectType,
  sets: readonly SelectionSetNode[],
  { schema, fragments }: Selecting,
): Map<string, FieldNode[]> {
  const fields = new Map<string, FieldNode[]>();
  const spread = new Set<string>();
  const collect = ({ selections }: SelectionSetNode): void => {
    for (const selection of selections) {
      if (selection.kind === Kind.FIELD) {
        const name = selection.alias?.value ?? selection.name.value;
        const nodes = fields.get(name);
        if (nodes === undefined) fields.set(name, [selection]);
        else nodes.push(selection);
        continue;
      }
      const fragment = selection.kind === Kind.INLINE_FRAGMENT ? selection : fragments[selection.name.value];
      if (fragment === undefined || isSpread(selection, spread)) continue;
      if (isFor(fragment, type, schema)) collect(fragment.selectionSet);
    }
  };
  for (const set of sets) collect(set);
  return fields;
}

/** A named fragment counts once for an object, however often it is spread. */
function isSpread(selection: SelectionNode, spread: Set<string>): boolean {
  if (selection.kind !== Kind.FRAGMENT_SPREAD) return false;
  const { value } = selection.name;
  const isKnown = spread.has(value);
  spread.add(value);
  return isKnown;
}

function isFor(
  { typeCondition }: InlineFragmentNode | FragmentDefinitionNode,
  type: GraphQLObjectType,
  schema: GraphQLSchema,
): boolean {
  if (typeCondition === undefined) return true;
  const conditional = typeFromAST(schema, typeCondition);
  return conditional === type || (isAbstractType(conditional) && schema.isSubType(conditional, type));
}
