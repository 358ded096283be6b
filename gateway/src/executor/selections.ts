import {
  type CompositeType,
  type Directive,
  type FieldSelection,
  isSubtype,
  type Schema,
  type SelectionSet,
  Variable,
} from '@apollo/federation-internals';
import { DEFER } from '../operation-size.ts';

type Applied = Pick<Directive, 'name' | 'arguments'>;

export type Conditions = Readonly<Record<string, boolean>>;

/** A field of an answer's object of one type, with everything that the operation selects below it. */
export interface CollectedField {
  selection: FieldSelection;
  /** The type that `__typename` names where the object itself does not say. */
  parentType: CompositeType;
  inner: SelectionSet[];
}

/** A fragment that is answered apart from what is around it. */
export interface DeferredFragment {
  label: string;
  selectionSet: SelectionSet;
  parentType: CompositeType;
}

/**
 * What an operation selects of one object: fragments expanded, conditions decided, fields of the same response name
 * merged, in the order in which they are answered.
 */
export function collectFields(
  sets: readonly SelectionSet[],
  object: {
    typename: string | undefined;
    parentType: CompositeType;
    schema: Schema;
    conditions: Conditions;
    /** Takes the fragments that are deferred, which are not looked into then. */
    onDeferred?: (fragment: DeferredFragment) => void;
  },
): CollectedField[] {
  const { typename, schema, conditions } = object;
  const type = typename === undefined ? undefined : schema.type(typename);
  const fields = new Map<string, CollectedField>();
  const collect = (set: SelectionSet, parentType: CompositeType): void => {
    for (const selection of set.selections()) {
      if (isSkipped(selection.element.appliedDirectives, conditions)) continue;
      if (selection.kind === 'FieldSelection') {
        add(fields, selection, parentType);
        continue;
      }
      const { typeCondition } = selection.element;
      if (
        typeCondition === undefined ||
        ((typename === undefined || type !== undefined) && isSubtype(typeCondition, type ?? parentType))
      ) {
        const inner = typeCondition ?? parentType;
        const label = object.onDeferred && labelOf(selection.element.appliedDirectives, conditions);
        if (label === undefined) collect(selection.selectionSet, inner);
        else object.onDeferred?.({ label, selectionSet: selection.selectionSet, parentType: inner });
      }
    }
  };
  for (const set of sets) collect(set, object.parentType);
  return [...fields.values()];
}

function add(fields: Map<string, CollectedField>, selection: FieldSelection, parentType: CompositeType): void {
  const name = selection.element.responseName();
  const known = fields.get(name);
  const { selectionSet } = selection;
  if (known === undefined) {
    fields.set(name, { selection, parentType, inner: selectionSet === undefined ? [] : [selectionSet] });
  } else if (selectionSet !== undefined) {
    known.inner.push(selectionSet);
  }
}

function isSkipped(directives: readonly Applied[], conditions: Conditions): boolean {
  return directives.some((directive) => {
    if (directive.name !== 'skip' && directive.name !== 'include') return false;
    const wanted: unknown = directive.arguments().if;
    const value = wanted instanceof Variable ? conditions[wanted.name] : wanted;
    return value === (directive.name === 'skip');
  });
}

/** The label of a fragment that is deferred under these conditions. */
function labelOf(directives: readonly Applied[], conditions: Conditions): string | undefined {
  const { label, if: wanted } = directives.find(({ name }) => name === DEFER)?.arguments() ?? {};
  const isDeferred = wanted instanceof Variable ? conditions[wanted.name] : wanted !== false;
  return isDeferred === true && typeof label === 'string' ? label : undefined;
}

/** The variables that decide what is answered, and whether the operation asks for what is answered without a plan. */
export function inspectOperation(root: SelectionSet): { conditionVariables: string[]; answerable: boolean } {
  const variables = new Set<string>();
  const seen = new Set<SelectionSet>();
  let answerable = true;
  const inspect = (set: SelectionSet): void => {
    if (seen.has(set)) return;
    seen.add(set);
    for (const selection of set.selections()) {
      for (const directive of selection.element.appliedDirectives) {
        const value: unknown = directive.arguments().if;
        if (value instanceof Variable) variables.add(value.name);
      }
      if (selection.kind === 'FieldSelection') {
        const { element } = selection;
        if (element.definition.isSchemaIntrospectionField() || element.responseName() === '__proto__')
          answerable = false;
      }
      if (selection.selectionSet !== undefined) inspect(selection.selectionSet);
    }
  };
  inspect(root);
  return { conditionVariables: [...variables], answerable };
}
