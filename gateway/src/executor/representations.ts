import type { QueryPlanSelectionNode } from '@apollo/query-planner';
import { getOwn, type JsonObject, mergeInto, setOwn, TYPENAME } from './json.ts';
import type { TypeConditions } from './type-conditions.ts';

/** What a subgraph has to know of an entity to add to it; null where something of it is missing. */
export type Represent = (entity: JsonObject | null) => JsonObject | null;

type Write = (entity: JsonObject, representation: JsonObject) => boolean;

/** The keys of an entity, and the inputs of `@requires`, as the planner selects them. */
export function compileRepresentation(selections: readonly QueryPlanSelectionNode[], types: TypeConditions): Represent {
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
  const represent = selections === undefined ? undefined : compileRepresentation(selections, types);
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
  const represent = compileRepresentation(selections, types);
  return (entity, representation) => {
    const added = matches.has(entity[TYPENAME]) ? represent(entity) : null;
    if (added !== null) mergeInto(representation, added);
    return true;
  };
}
