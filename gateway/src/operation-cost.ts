import {
  type ArgumentNode,
  type DocumentNode,
  type FieldNode,
  getNamedType,
  getNullableType,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  isCompositeType,
  isInterfaceType,
  isListType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
  type SelectionSetNode,
  valueFromAST,
} from 'graphql';
import { fragmentsOf } from './operation-size.ts';

/** What a field of Mutation costs beside what it answers: it writes. */
const MUTATION_COST = 10;
/** How long a list is taken to be that nobody asked for a length of. */
const UNSIZED_LIST = 10;
// Above every limit, and far from where numbers end.
const MANY = 1e12;

interface Costing {
  schema: GraphQLSchema;
  fragments: ReturnType<typeof fragmentsOf>;
  variables: Readonly<Record<string, unknown>>;
  /** The default values of the operation's variables. */
  defaults: ReadonlyMap<string, unknown>;
  known: Map<string, number>;
  /** The variables that decide how long lists are. */
  sizeVariables: Set<string>;
}

/**
 * How much an operation may make the graph do, at most: each object costs 1, scalars nothing, a field of Mutation 10
 * more. A list costs its length times one element: the `first` of its own field, else of the field around it (the
 * connection's, for `edges`), else 10. Fragments count wherever they are spread.
 */
export class OperationCosts {
  readonly #schema: GraphQLSchema;
  /** The costs of a document's operations for the lengths that were asked for. */
  readonly #known = new WeakMap<OperationDefinitionNode, { sizeVariables: string[]; costs: Map<string, number> }>();

  constructor(schema: GraphQLSchema) {
    this.#schema = schema;
  }

  of(document: DocumentNode, operation: OperationDefinitionNode, variables: Readonly<Record<string, unknown>>): number {
    const known = this.#known.get(operation);
    const cost = known?.costs.get(keyOf(known.sizeVariables, variables));
    if (cost !== undefined) return cost;
    const costing = {
      schema: this.#schema,
      fragments: fragmentsOf(document),
      variables,
      defaults: defaultsOf(operation),
      known: new Map<string, number>(),
      sizeVariables: new Set<string>(),
    };
    const computed = costOfOperation(operation, costing);
    const sizeVariables = [...costing.sizeVariables];
    this.#known.set(operation, { sizeVariables, costs: new Map([[keyOf(sizeVariables, variables), computed]]) });
    return computed;
  }
}

function keyOf(names: readonly string[], variables: Readonly<Record<string, unknown>>): string {
  return names.length === 0 ? '' : JSON.stringify(names.map((name) => variables[name]));
}

function defaultsOf({ variableDefinitions = [] }: OperationDefinitionNode): Map<string, unknown> {
  return new Map(
    variableDefinitions.map(({ variable, defaultValue }) => [
      variable.name.value,
      defaultValue?.kind === Kind.INT ? Number(defaultValue.value) : undefined,
    ]),
  );
}

/** What an answer of this many objects turned out to cost; undefined where nobody counted. */
export function actualCost(operation: OperationDefinitionNode, objectCount: number | undefined): number | undefined {
  return objectCount === undefined ? undefined : objectCount + costOfWrites(operation);
}

function costOfWrites({ operation, selectionSet }: OperationDefinitionNode): number {
  return operation === OperationTypeNode.MUTATION ? selectionSet.selections.length * MUTATION_COST : 0;
}

function costOfOperation(operation: OperationDefinitionNode, costing: Costing): number {
  const root = costing.schema.getRootType(operation.operation);
  if (!root) return 0;
  return costOfWrites(operation) + costOfSet(operation.selectionSet, { type: root, size: undefined }, costing);
}

/** Where a selection set stands: on what type, and the `first` of the field that it belongs to. */
interface Place {
  type: GraphQLNamedType;
  size: number | undefined;
}

function costOfSet(set: SelectionSetNode, place: Place, costing: Costing): number {
  let cost = 0;
  for (const selection of set.selections) {
    if (selection.kind === Kind.FIELD) cost += costOfField(selection, place, costing);
    else if (selection.kind === Kind.FRAGMENT_SPREAD) cost += costOfFragment(selection.name.value, place, costing);
    else {
      const name = selection.typeCondition?.name.value;
      const type = name === undefined ? place.type : costing.schema.getType(name);
      if (type !== undefined) cost += costOfSet(selection.selectionSet, { ...place, type }, costing);
    }
  }
  return Math.min(MANY, cost);
}

function costOfFragment(name: string, { size }: Place, costing: Costing): number {
  const key = `${name} ${size ?? ''}`;
  const known = costing.known.get(key);
  if (known !== undefined) return known;
  // While it is under way it counts as nothing: a cycle is refused by validation.
  costing.known.set(key, 0);
  const fragment = costing.fragments.get(name);
  const type = fragment && costing.schema.getType(fragment.typeCondition.name.value);
  const cost = fragment && type ? costOfSet(fragment.selectionSet, { type, size }, costing) : 0;
  costing.known.set(key, cost);
  return cost;
}

function costOfField(node: FieldNode, place: Place, costing: Costing): number {
  const { type } = place;
  const field = isObjectType(type) || isInterfaceType(type) ? type.getFields()[node.name.value] : undefined;
  // Validation reports fields that there are not; `__typename` costs nothing.
  if (field === undefined || node.selectionSet === undefined) return 0;
  const inner = getNamedType(field.type);
  if (!isCompositeType(inner)) return 0;
  const size = sizeOf(field, node.arguments ?? [], costing);
  const isList = isListType(getNullableType(field.type));
  const times = isList ? (size ?? place.size ?? UNSIZED_LIST) : 1;
  const one = 1 + costOfSet(node.selectionSet, { type: inner, size: isList ? undefined : size }, costing);
  return Math.min(MANY, 1 + times * one);
}

function sizeOf(
  field: GraphQLField<unknown, unknown>,
  given: readonly ArgumentNode[],
  costing: Costing,
): number | undefined {
  const argument = field.args.find(({ name }) => name === 'first');
  if (argument === undefined) return undefined;
  const node = given.find(({ name }) => name.value === 'first')?.value;
  let value: unknown = node && valueFromAST(node, argument.type, costing.variables);
  if (node?.kind === Kind.VARIABLE) {
    const name = node.name.value;
    costing.sizeVariables.add(name);
    value = costing.variables[name] ?? costing.defaults.get(name);
  }
  value ??= argument.defaultValue;
  return typeof value === 'number' && value >= 0 ? value : UNSIZED_LIST;
}
