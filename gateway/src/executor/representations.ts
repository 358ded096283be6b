import type { QueryPlanSelectionNode } from '@apollo/query-planner';
import { getOwn, type JsonObject, mergeInto, setOwn, TYPENAME } from './json.ts';
import type { Rewrite } from './rewrites.ts';
import type { TypeConditions } from './type-conditions.ts';

/** What one subgraph has to know of entities to add to them. */
export interface Representation {
  /** Equal for entities that are represented alike, and for no others; null where something of it is missing. */
  keyOf: (entity: JsonObject) => string | null;
  /** The JSON of what has this key. */
  write: (key: string) => string;
}

export interface Representations {
  /** The keys of entities, and the inputs of `@requires`, as the planner selects them. The same object for the same selections, so that fetches of several operations can be told to be alike. */
  of(selections: readonly QueryPlanSelectionNode[], rewrite: Rewrite | undefined): Representation;
}

/** More than a graph has keys; past it all are made anew. */
const MOST_KNOWN = 1_000;

export function createRepresentations(types: TypeConditions): Representations {
  const known = new Map<string, Representation>();
  return {
    of: (selections, rewrite) => {
      if (rewrite !== undefined) return byParts(selections, types, rewrite);
      const text = JSON.stringify(selections);
      const before = known.get(text);
      if (before !== undefined) return before;
      if (known.size >= MOST_KNOWN) known.clear();
      const representation = byLeaves(selections, types) ?? byParts(selections, types);
      known.set(text, representation);
      return representation;
    },
  };
}

function byParts(
  selections: readonly QueryPlanSelectionNode[],
  types: TypeConditions,
  rewrite?: Rewrite,
): Representation {
  const collect = compileParts(selections, types);
  return {
    keyOf: (entity) => {
      const representation = collect(entity);
      if (!representation?.[TYPENAME]) return null;
      rewrite?.(representation);
      return JSON.stringify(representation);
    },
    write: (key) => key,
  };
}

/** The text at once, without an object, of what nearly all entities are asked for with: leaves of one type. */
function byLeaves(selections: readonly QueryPlanSelectionNode[], types: TypeConditions): Representation | undefined {
  const [selection] = selections;
  if (selections.length !== 1 || selection?.kind !== 'InlineFragment') return undefined;
  if (selection.typeCondition === undefined) return undefined;
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
  const [leaf] = leaves;
  const [opening] = openings;
  if (leaf !== undefined && leaves.length === 1 && opening !== undefined && openings.size === 1) {
    return byOneLeaf(opening, leaf);
  }
  return { keyOf: textOf(openings, leaves), write: (text) => text };
}

interface Leaf {
  name: string;
  /** With what stands before its value. */
  key: string;
}

function textOf(openings: ReadonlyMap<unknown, string>, leaves: readonly Leaf[]): Representation['keyOf'] {
  return (entity) => {
    let text = openings.get(entity[TYPENAME]);
    if (text === undefined) return null;
    for (const { name, key } of leaves) {
      const value = getOwn(entity, name);
      if (value === undefined) return null;
      text += key + (typeof value === 'string' ? quote(value) : JSON.stringify(value));
    }
    return `${text}}`;
  };
}

/** Before what is no string, and before the few strings that begin with it: JSON, which never does. */
const AS_JSON = '\0';

/**
 * Of one type and with one leaf, such as an id: the leaf itself is the key. It is at hand, where a text would be written
 * and hashed only to find that another execution asks for the same.
 */
function byOneLeaf([typename, opening]: readonly [unknown, string], { name, key: before }: Leaf): Representation {
  return {
    keyOf: (entity) => {
      if (entity[TYPENAME] !== typename) return null;
      const value = getOwn(entity, name);
      if (typeof value === 'string' && !value.startsWith(AS_JSON)) return value;
      return value === undefined ? null : AS_JSON + JSON.stringify(value);
    },
    write: (key) => `${opening}${before}${key.startsWith(AS_JSON) ? key.slice(1) : quote(key)}}`,
  };
}

/** Nothing that JSON escapes. */
const PLAIN = /^[\w .:@-]*$/;

function quote(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text);
}

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
