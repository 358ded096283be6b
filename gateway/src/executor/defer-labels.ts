import {
  type DirectiveNode,
  type DocumentNode,
  getOperationAST,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
  type SelectionNode,
  type SelectionSetNode,
  visit,
} from 'graphql';
import { DEFER, fragmentsOf } from '../operation-size.ts';

/** A document whose deferred fragments each have a label of their own, wherever in the operation they come. */
export interface LabelledDocument {
  document: DocumentNode;
  /** The client's labels by ours; undefined where the client gave none. */
  labels: ReadonlyMap<string, string | undefined>;
}

/** The same document with nothing deferred. */
export function withoutDefers(document: DocumentNode): DocumentNode {
  return visit(document, { Directive: ({ name }) => (name.value === DEFER ? null : undefined) });
}

/**
 * The operation with its fragments written out, so that a fragment which is deferred in two places is two deferred parts:
 * the planner tells parts apart by their labels. Undefined for what defers nothing. The document must be valid.
 */
export function labelDefers(document: DocumentNode, operationName: string | undefined): LabelledDocument | undefined {
  const operation = getOperationAST(document, operationName);
  if (!operation || operation.operation === OperationTypeNode.SUBSCRIPTION) return undefined;
  const labels = new Map<string, string | undefined>();
  const writer = createWriter(document, labels);
  const written: OperationDefinitionNode = { ...operation, selectionSet: writer(operation.selectionSet) };
  if (labels.size === 0) return undefined;
  return { document: { kind: Kind.DOCUMENT, definitions: [written] }, labels };
}

function createWriter(document: DocumentNode, labels: Map<string, string | undefined>) {
  const fragments = fragmentsOf(document);
  const directivesOf = ({ directives = [] }: SelectionNode): DirectiveNode[] =>
    directives.flatMap((directive) => (directive.name.value === DEFER ? labelled(directive, labels) : [directive]));
  const write = (selection: SelectionNode): SelectionNode => {
    const directives = directivesOf(selection);
    if (selection.kind !== Kind.FRAGMENT_SPREAD) {
      if (selection.selectionSet === undefined) return selection;
      return { ...selection, directives, selectionSet: writeSet(selection.selectionSet) };
    }
    const name = selection.name.value;
    const fragment = fragments.get(name);
    if (fragment === undefined) throw new Error(`The document has no fragment "${name}"`);
    const { typeCondition, selectionSet } = fragment;
    return { kind: Kind.INLINE_FRAGMENT, typeCondition, directives, selectionSet: writeSet(selectionSet) };
  };
  const writeSet = (set: SelectionSetNode): SelectionSetNode => ({
    ...set,
    selections: set.selections.map(write),
  });
  return writeSet;
}

/** The directive under a label of ours; nothing where it says itself that nothing is deferred. */
function labelled(directive: DirectiveNode, labels: Map<string, string | undefined>): DirectiveNode[] {
  const given = directive.arguments ?? [];
  const condition = given.find(({ name }) => name.value === 'if');
  const isBoolean = condition?.value.kind === Kind.BOOLEAN;
  if (isBoolean && !condition.value.value) return [];
  const name = given.find((argument) => argument.name.value === 'label')?.value;
  const label = `part${labels.size}`;
  labels.set(label, name?.kind === Kind.STRING ? name.value : undefined);
  const value = { kind: Kind.STRING, value: label } as const;
  const own = { kind: Kind.ARGUMENT, name: { kind: Kind.NAME, value: 'label' }, value } as const;
  return [{ ...directive, arguments: condition === undefined || isBoolean ? [own] : [own, condition] }];
}
