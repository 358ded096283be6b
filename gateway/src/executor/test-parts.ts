import {
  type DocumentNode,
  type ExecutionResult,
  Kind,
  OperationTypeNode,
  parse,
  print,
  type SelectionNode,
  visit,
} from 'graphql';
import type { ExecutedInParts } from './incremental.ts';
import { addInto, isObject, type JsonObject } from './json.ts';
import type { TestOperation } from './test-operations.ts';
import type { Random } from '@kindred/testing/random';

/** The operation with parts of its selection sets deferred: some under conditions, some within each other, on fragments too. */
export function deferSome({ query, variables: given }: TestOperation, random: Random): TestOperation {
  const variables = { ...given };
  const definitions: string[] = [];
  let labels = 0;
  const directive = () => {
    const label = random.chance(0.4) ? `label: "l${labels++}"` : '';
    let condition = '';
    // Each doubles the plans of an operation.
    if (random.chance(0.3) && definitions.length < 2) {
      const name = `defers${definitions.length}`;
      definitions.push(`$${name}: Boolean!`);
      variables[name] = random.chance(0.7);
      condition = `if: $${name}`;
    } else if (random.chance(0.1)) condition = 'if: false';
    return label === '' && condition === '' ? '@defer' : `@defer(${label} ${condition})`;
  };
  const document = visit(parse(query), {
    SelectionSet: {
      leave: (set, _key, parent) => {
        const isMutation = parent && 'kind' in parent && parent.kind === Kind.OPERATION_DEFINITION;
        if ((isMutation && parent.operation === OperationTypeNode.MUTATION) || !random.chance(0.4)) return undefined;
        const from = random.below(set.selections.length + 1);
        const deferred = set.selections.slice(from);
        if (deferred.length === 0) return undefined;
        return { ...set, selections: [...set.selections.slice(0, from), wrapped(deferred, directive())] };
      },
    },
  });
  return { query: withVariables(document, definitions), variables };
}

function wrapped(selections: readonly SelectionNode[], directive: string): SelectionNode {
  const [definition] = parse(`{ ... ${directive} { ${selections.map(print).join(' ')} } }`).definitions;
  const selection = definition && 'selectionSet' in definition ? definition.selectionSet.selections[0] : undefined;
  if (selection === undefined) throw new Error(`Nothing is deferred by ${directive}`);
  return selection;
}

function withVariables(document: DocumentNode, added: readonly string[]): string {
  const variableDefinitions = added.length === 0 ? [] : definitionsOf(`query (${added.join(' ')}) { a }`);
  return print(
    visit(document, {
      OperationDefinition: (node) => ({
        ...node,
        variableDefinitions: [...(node.variableDefinitions ?? []), ...variableDefinitions],
      }),
    }),
  );
}

function definitionsOf(query: string) {
  const [definition] = parse(query).definitions;
  return definition?.kind === Kind.OPERATION_DEFINITION ? (definition.variableDefinitions ?? []) : [];
}

export interface PartCounts {
  partCount: number;
  /** Parts that had to be null. */
  nullCount: number;
}

/** An answer in parts as one. @throws Error when a part has no place in what came before it */
export async function mergeParts(executed: ExecutedInParts | undefined): Promise<ExecutionResult> {
  if (executed === undefined) throw new Error('The operation was not answered in parts');
  const { data, errors = [] } = executed.first.result;
  const all = [...errors];
  const counts: PartCounts = { partCount: 0, nullCount: 0 };
  for await (const { parts } of executed.rest ?? []) {
    for (const { path, result } of parts) {
      counts.partCount += 1;
      all.push(...(result.errors ?? []));
      const place = path.reduce<unknown>((value, key) => (value as JsonObject)[String(key)], data);
      if (!isObject(place)) throw new Error(`There is no object at ${JSON.stringify(path)}`);
      if (result.data) addInto(place, result.data);
      else counts.nullCount += 1;
    }
  }
  return { data: data ?? null, ...(all.length > 0 && { errors: all }), extensions: { counts } };
}

/** Whether `merged` says everything that `whole` does; where that is null, `merged` may say more, or nothing. */
export function isWithin(whole: unknown, merged: unknown): boolean {
  if (whole === null) return true;
  if (Array.isArray(whole)) {
    return (
      Array.isArray(merged) &&
      whole.length === merged.length &&
      whole.every((element, index) => isWithin(element, merged[index]))
    );
  }
  if (!isObject(whole)) return whole === merged;
  return (
    isObject(merged) &&
    Object.entries(whole).every(([key, value]) => value === null || (key in merged && isWithin(value, merged[key])))
  );
}
