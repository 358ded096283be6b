import { getOwn, isObject, type JsonObject } from './json.ts';
import type { Path } from './plan-run.ts';

/** Finds the objects at one path of answers, `@` standing for every element of a list; what is null is left out. */
export interface Places {
  entitiesIn(data: JsonObject): JsonObject[];
  /** Where each of them stands, in the same order. */
  pathsIn(data: JsonObject): Path[];
}

interface Found {
  entities: JsonObject[];
  /** Where they are wanted. */
  paths: Path[] | undefined;
  /** The path so far. */
  at: (string | number)[];
}

type Visit = (value: unknown, found: Found) => void;

export function compilePlaces(path: Path): Places {
  const visit = compileVisit(path, 0);
  const visitAll = (data: JsonObject, paths: Path[] | undefined): Found => {
    const found: Found = { entities: [], paths, at: [] };
    visit(data, found);
    return found;
  };
  return {
    entitiesIn: (data) => visitAll(data, undefined).entities,
    pathsIn: (data) => visitAll(data, []).paths ?? [],
  };
}

function compileVisit(path: Path, from: number): Visit {
  const element = path[from];
  const inner = element === undefined ? undefined : compileVisit(path, from + 1);
  const visit: Visit = (value, found) => {
    if (value === null || value === undefined) return;
    if (Array.isArray(value)) {
      if (element !== undefined && element !== '@') throw new Error(`Unexpected list in the answer at ${element}`);
      // A list of lists has one `@` for each; at the path's end the elements themselves are meant.
      visitElements(value, found, inner ?? visit);
      return;
    }
    if (!isObject(value)) throw new Error(`Wanted an object in the answer, got ${typeof value}`);
    if (element === '@') throw new Error('Wanted a list in the answer, got an object');
    if (element === undefined) {
      found.entities.push(value);
      found.paths?.push([...found.at]);
      return;
    }
    found.at.push(element);
    inner?.(getOwn(value, String(element)), found);
    found.at.pop();
  };
  return visit;
}

function visitElements(elements: readonly unknown[], found: Found, visit: Visit): void {
  for (let index = 0; index < elements.length; index++) {
    found.at.push(index);
    visit(elements[index], found);
    found.at.pop();
  }
}
