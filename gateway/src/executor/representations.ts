import type { QueryPlanSelectionNode } from '@apollo/query-planner';
import { getOwn, type JsonObject, mergeInto, setOwn, TYPENAME } from './json.ts';
import type { Rewrite } from './rewrites.ts';
import type { TypeConditions } from './type-conditions.ts';

/** What a subgraph has to know of an entity to add to it, as JSON; null where something of it is missing. */
export type Represent = (entity: JsonObject) => string | null;

/** The keys of an entity, and the inputs of `@requires`, as the planner selects them. */
export function compileRepresentation(
  selections: readonly QueryPlanSelectionNode[],
  { types, rewrite }: { types: TypeConditions; rewrite: Rewrite | undefined },
): Represent {
  const collect = compileParts(selections, types);
  const ofParts: Represent = (entity) => {
    const representation = collect(entity);
    if (!representation?.[TYPENAME]) return null;
    rewrite?.(representation);
    return JSON.stringify(representation);
  };
  const [selection] = selections;
  const ofLeaves = selections.length === 1 && rewrite === undefined ? compileLeaves(selection, types) : undefined;
  return ofLeaves ?? ofParts;
}

/** The text at once, without an object, of what nearly all entities are asked for with: leaves of one type. */
function compileLeaves(selection: QueryPlanSelectionNode | undefined, types: TypeConditions): Represent | undefined {
  if (selection?.kind !== 'InlineFragment' || selection.typeCondition === undefined) return undefined;
  const names = selection.selections.map((inner) =>
    inner.kind === 'Field' && inner.selections === undefined ? (inner.alias ?? inner.name) : undefined,
  );
  const distinct = new Set(names);
  if (distinct.has(undefined) || distinct.size < names.length || !distinct.has(TYPENAME)) return undefined;
  const matches = types.matching(selection.typeCondition);
  const openings = new Map([...matches].map((name) => [name, `{"${TYPENAME}":${JSON.stringify(name)}`]));
  const leaves = names
    .filter((name = '') => name !== TYPENAME)
    .map((name = '') => ({ name, key: `,${JSON.stringify(name)}:` }));
  return (entity) => {
    let text = openings.get(entity[TYPENAME]);
    if (text === undefined) return null;
    for (const { name, key } of leaves) {
      const value = getOwn(entity, name);
      if (value === undefined) return null;
      text += typeof value === 'string' && PLAIN.test(value) ? `${key}"${value}"` : key + JSON.stringify(value);
    }
    return `${text}}`;
  };
}

/** Nothing that JSON escapes. */
const PLAIN = /^[\w .:@-]*$/;

type CollectParts = (entity: JsonObject | null) => JsonObject | null;
type Write = (entity: JsonObject, representation: JsonObject) => boolean;

function compileParts(selections: readonly QueryPlanSelectionNode[], types: TypeConditions): CollectParts {
  const writes = selections.map((selection) =>
    selection.kind === 'Field' ? compileField(selection, types) : compileFragment(selection, types),
  );
  return (entity) => {
    if (entity === null) return null;
    const representation: JsonObject = {};
    for (const write of writes) if (!write(entity, representation)) return null;
    return representation;
  };
}

function compileField(
  { alias, name, selections }: Extract<QueryPlanSelectionNode, { kind: 'Field' }>,
  types: TypeConditions,
): Write {
  const key = alias ?? name;
  const represent = selections === undefined ? undefined : compileParts(selections, types);
  // An answer's objects come from JSON: no other value than objects, lists and null stands where fields are selected.
  const inner = (value: unknown) => represent?.(value as JsonObject | null);
  return (entity, representation) => {
    const value = getOwn(entity, key);
    if (value === undefined) return false;
    if (represent === undefined) setOwn(representation, key, value);
    else setOwn(representation, key, Array.isArray(value) ? value.map(inner) : inner(value));
    return true;
  };
}

function compileFragment(
  { typeCondition, selections }: Extract<QueryPlanSelectionNode, { kind: 'InlineFragment' }>,
  types: TypeConditions,
): Write {
  if (typeCondition === undefined) return () => true;
  const matches = types.matching(typeCondition);
  const represent = compileParts(selections, types);
  return (entity, representation) => {
    const added = matches.has(entity[TYPENAME]) ? represent(entity) : null;
    if (added !== null) mergeInto(representation, added);
    return true;
  };
}
