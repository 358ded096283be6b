import { type ASTVisitor, type DocumentNode, type FieldNode, Kind, type OperationDefinitionNode, visit } from 'graphql';
import { isObject } from './executor/json.ts';
import { rootFieldsOf } from './operation-size.ts';

/** How a subscription says where it stands (the API's rule for subscriptions), as one document writes it. */
export interface ResumePoint {
  /** The variable that `afterSequence` is taken from, and nothing else. */
  variable: string;
  /** Where a result has its `sequence`, from `data` on. */
  path: readonly [field: string, sequence: string];
}

const ARGUMENT = 'afterSequence';
const FIELD = 'sequence';

/**
 * Where the subscription can be taken up elsewhere: its field takes `afterSequence` from a variable of its own, and its
 * results hold their `sequence` whatever the variables. Undefined where that is not so.
 */
export function resumePointOf(document: DocumentNode, operation: OperationDefinitionNode): ResumePoint | undefined {
  const [field] = rootFieldsOf(document, operation);
  const value = field?.arguments?.find(({ name }) => name.value === ARGUMENT)?.value;
  if (field === undefined || value?.kind !== Kind.VARIABLE) return undefined;
  const sequence = rootFieldsOf(document, field).find(({ name }) => name.value === FIELD);
  if (sequence === undefined || countUses(document, value.name.value) > 1) return undefined;
  return { variable: value.name.value, path: [responseNameOf(field), responseNameOf(sequence)] };
}

/** The `sequence` of a result; undefined where it has none. */
export function sequenceOf({ path: [field, sequence] }: ResumePoint, data: unknown): number | undefined {
  const event = isObject(data) ? data[field] : undefined;
  const value = isObject(event) ? event[sequence] : undefined;
  return typeof value === 'number' ? value : undefined;
}

function responseNameOf({ alias, name }: FieldNode): string {
  return alias?.value ?? name.value;
}

function countUses(document: DocumentNode, name: string): number {
  let count = 0;
  const counter: ASTVisitor = {
    VariableDefinition: () => false,
    Variable: (variable) => {
      if (variable.name.value === name) count += 1;
    },
  };
  visit(document, counter);
  return count;
}
