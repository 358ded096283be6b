import { getOwn, isObject, type JsonObject } from './json.ts';
import type { Path } from './plan-run.ts';

/** The objects at a path of the answer so far, `@` standing for every element of a list; what is null is left out. */
export function collectAt(data: JsonObject, path: Path): JsonObject[] {
  const found: JsonObject[] = [];
  visit(data, { path, from: 0, at: undefined }, (entity) => found.push(entity));
  return found;
}

/** Where each of them stands, in the same order. */
export function collectPathsAt(data: JsonObject, path: Path): Path[] {
  const found: Path[] = [];
  visit(data, { path, from: 0, at: [] }, (_entity, at) => found.push([...at]));
  return found;
}

interface Position {
  path: Path;
  from: number;
  /** The path so far, where it is wanted. */
  at: (string | number)[] | undefined;
}

function visit(value: unknown, { path, from, at }: Position, found: (entity: JsonObject, at: Path) => void): void {
  if (value === null || value === undefined) return;
  const element = path[from];
  if (Array.isArray(value)) {
    if (element !== undefined && element !== '@') throw new Error(`Unexpected list in the answer at ${element}`);
    // A list of lists has one `@` for each; at the path's end the elements themselves are meant.
    const next = element === undefined ? from : from + 1;
    for (const [index, inner] of value.entries()) {
      at?.push(index);
      visit(inner, { path, from: next, at }, found);
      at?.pop();
    }
    return;
  }
  if (!isObject(value)) throw new Error(`Wanted an object in the answer, got ${typeof value}`);
  if (element === undefined) {
    found(value, at ?? []);
    return;
  }
  if (element === '@') throw new Error('Wanted a list in the answer, got an object');
  at?.push(element);
  visit(getOwn(value, String(element)), { path, from: from + 1, at }, found);
  at?.pop();
}
