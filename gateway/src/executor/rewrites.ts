import type { FetchDataRewrite } from '@apollo/query-planner';
import { getOwn, isObject, type JsonObject, setOwn, TYPENAME } from './json.ts';
import type { TypeConditions } from './type-conditions.ts';

const TYPE_PREFIX = '... on ';

/** Changes what a fetch sends or received, in place: the planner renames fields that would collide in one answer. */
export type Rewrite = (value: unknown) => void;

/** One function for all rewrites of a fetch; undefined where there is none, as in almost every plan. */
export function compileRewrites(
  rewrites: readonly FetchDataRewrite[] | undefined,
  types: TypeConditions,
): Rewrite | undefined {
  if (rewrites === undefined || rewrites.length === 0) return undefined;
  const compiled = rewrites.map((rewrite) => compileRewrite(rewrite, types));
  return (value) => {
    for (const rewrite of compiled) rewrite(value);
  };
}

function compileRewrite(rewrite: FetchDataRewrite, types: TypeConditions): Rewrite {
  const field = rewrite.path.at(-1);
  if (field === undefined) return () => {};
  const change =
    rewrite.kind === 'ValueSetter' ? setter(field, rewrite.setValueTo) : renamer(field, rewrite.renameKeyTo);
  return rewrite.path
    .slice(0, -1)
    .reduceRight<Rewrite>((inner, element) => atElement(element, inner, types), eachObject(change));
}

function setter(field: string, value: unknown) {
  return (object: JsonObject) => setOwn(object, field, value);
}

function renamer(field: string, newName: string) {
  return (object: JsonObject) => {
    const value = getOwn(object, field);
    if (!value) return;
    setOwn(object, newName, value);
    object[field] = undefined;
  };
}

function atElement(element: string, inner: Rewrite, types: TypeConditions): Rewrite {
  if (!element.startsWith(TYPE_PREFIX)) return eachObject((object) => inner(getOwn(object, element)));
  const matches = types.matching(element.slice(TYPE_PREFIX.length));
  return eachObject((object) => {
    const typename = object[TYPENAME];
    if (!typename || matches.has(typename)) inner(object);
  });
}

function eachObject(change: (object: JsonObject) => void): Rewrite {
  const visit: Rewrite = (value) => {
    if (Array.isArray(value)) for (const element of value) visit(element);
    else if (isObject(value)) change(value);
  };
  return visit;
}
