/** An object of a subgraph's answer. It may hold any key, `__proto__` included, as its own. */
export type JsonObject = Record<string, unknown>;

/** Where an object of an answer says of what type it is. */
export const TYPENAME = '__typename';

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The object's own value; never what every object inherits, such as `constructor`. */
export function getOwn(object: JsonObject, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

export function setOwn(object: JsonObject, key: string, value: unknown): void {
  if (key === '__proto__')
    Object.defineProperty(object, key, { value, configurable: true, enumerable: true, writable: true });
  else object[key] = value;
}

/**
 * Merges `source` into `target`: objects and lists of the same length by their parts, anything else replaced. Parts of
 * `source` become parts of `target`. Keys that are new come after the old ones.
 */
export function mergeInto(target: JsonObject, source: JsonObject): void {
  // Without the list of names that `Object.keys` makes.
  for (const key in source) {
    if (!Object.hasOwn(source, key)) continue;
    const value = source[key];
    if (value === undefined) continue;
    const existing = getOwn(target, key);
    if (existing === value && typeof value === 'object') continue;
    if (isObject(value) && typeof existing === 'object' && existing !== null) {
      mergeInto(existing as JsonObject, value);
    } else if (Array.isArray(value) && Array.isArray(existing) && existing.length === value.length) {
      mergeLists(existing, value);
    } else {
      setOwn(target, key, value);
    }
  }
}

function mergeLists(target: unknown[], source: readonly unknown[]): void {
  for (const [index, value] of source.entries()) {
    const existing = target[index];
    if (isObject(existing) && isObject(value)) mergeInto(existing, value);
    else target[index] = value;
  }
}

/**
 * Adds `source` to `target` as `mergeInto` does, which replaces lists within lists because Apollo's executor does; here they
 * too are merged by their parts.
 */
export function addInto(target: JsonObject, source: JsonObject): void {
  for (const [key, value] of Object.entries(source)) setOwn(target, key, together(getOwn(target, key), value));
}

function together(existing: unknown, value: unknown): unknown {
  if (value === undefined) return existing;
  if (isObject(existing) && isObject(value)) {
    addInto(existing, value);
    return existing;
  }
  if (Array.isArray(existing) && Array.isArray(value) && existing.length === value.length) {
    return existing.map((element, index) => together(element, value[index]));
  }
  return value;
}

/** Another value of the same parts, of which none is shared. */
export function copyOf<T>(value: T): T;
export function copyOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((element) => copyOf<unknown>(element));
  if (!isObject(value)) return value;
  const copied: JsonObject = {};
  for (const key of Object.keys(value)) setOwn(copied, key, copyOf(value[key]));
  return copied;
}
