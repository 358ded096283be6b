import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';

/** What planning an operation takes, its fragments expanded: planning time grows with each of these. */
export interface OperationSize {
  depth: number;
  selections: number;
  /** Every field under another name, `__typename` included. */
  aliases: number;
  directives: number;
  /** Fragments that are answered apart. */
  defers: number;
  /** The most fields of one selection set under the same response name: validation compares them pair by pair. */
  repetitions: number;
  rootFields: number;
}

/** The directive of a fragment that is answered apart. */
export const DEFER = 'defer';

const NOTHING: OperationSize = {
  depth: 0,
  selections: 0,
  aliases: 0,
  directives: 0,
  defers: 0,
  repetitions: 0,
  rootFields: 0,
};
// Above every limit, and far from where numbers end.
const MANY = 1e9;

/** Measures selection sets of a document in time linear in it: each fragment is measured once. */
export function createMeasure(document: DocumentNode): (set: SelectionSetNode) => OperationSize {
  const fragments = fragmentsOf(document);
  const known = new Map<string, OperationSize>();
  const measureFragment = (name: string): OperationSize => {
    const size = known.get(name);
    if (size !== undefined) return size;
    // While it is under way it counts as nothing: a cycle is refused by validation itself.
    known.set(name, NOTHING);
    const fragment = fragments.get(name);
    const measured = fragment === undefined ? NOTHING : measure(fragment.selectionSet);
    known.set(name, measured);
    return measured;
  };
  const innerOf = (selection: SelectionNode): OperationSize => {
    if (selection.kind === Kind.FRAGMENT_SPREAD) return measureFragment(selection.name.value);
    return selection.selectionSet === undefined ? NOTHING : measure(selection.selectionSet);
  };
  const measure = (set: SelectionSetNode): OperationSize => {
    const total = { ...NOTHING };
    const names = new Map<string, number>();
    for (const selection of set.selections) {
      const inner = innerOf(selection);
      const isField = selection.kind === Kind.FIELD;
      const isAliased = isField && selection.alias !== undefined;
      total.depth = Math.max(total.depth, inner.depth + (isField ? 1 : 0));
      total.selections = Math.min(MANY, total.selections + inner.selections + 1);
      total.aliases = Math.min(MANY, total.aliases + inner.aliases + (isAliased ? 1 : 0));
      const { directives = [] } = selection;
      const defers = directives.filter((directive) => directive.name.value === DEFER).length;
      total.directives = Math.min(MANY, total.directives + inner.directives + directives.length);
      total.defers = Math.min(MANY, total.defers + inner.defers + defers);
      total.rootFields = Math.min(MANY, total.rootFields + (isField ? 1 : inner.rootFields));
      const name = isField ? (selection.alias ?? selection.name).value : `...${selection.kind}`;
      names.set(name, (names.get(name) ?? 0) + 1);
      total.repetitions = Math.max(total.repetitions, inner.repetitions, isField ? (names.get(name) ?? 0) : 0);
    }
    return total;
  };
  return measure;
}

export function fragmentsOf(document: DocumentNode): Map<string, FragmentDefinitionNode> {
  const definitions = document.definitions.filter((definition) => definition.kind === Kind.FRAGMENT_DEFINITION);
  return new Map(definitions.map((definition) => [definition.name.value, definition]));
}

/** The fields that an operation, or a field, asks for, wherever in its fragments they stand. The document must be valid. */
export function rootFieldsOf(
  document: DocumentNode,
  { selectionSet }: { selectionSet?: SelectionSetNode | undefined },
): FieldNode[] {
  const fragments = fragmentsOf(document);
  const fieldsIn = (set: SelectionSetNode | undefined): FieldNode[] =>
    (set?.selections ?? []).flatMap((selection) => {
      if (selection.kind === Kind.FIELD) return [selection];
      if (selection.kind === Kind.INLINE_FRAGMENT) return fieldsIn(selection.selectionSet);
      return fieldsIn(fragments.get(selection.name.value)?.selectionSet);
    });
  return fieldsIn(selectionSet);
}
