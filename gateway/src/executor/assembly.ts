import { getOwn, type JsonObject } from './json.ts';

/** In place of a value without which its whole object is null. */
export const BUBBLE = Symbol('bubble');

/** One field of an object. */
export interface AssembledField<Run> {
  /** Its response name. */
  name: string;
  /** Which values are answered as they are. */
  plain: PlainKind | undefined;
  /** What is answered in place of any other value, or BUBBLE. */
  complete: (value: unknown, run: Run, input: JsonObject) => unknown;
}

/** Fills an object's fields from what was fetched for it; undefined where one of them bubbled. */
export type Assemble<Run> = (input: JsonObject, run: Run) => JsonObject | undefined;

/** How a value is known to need no completion. */
const PLAIN_CHECKS = {
  string: (value: string) => `typeof ${value} === 'string'`,
  boolean: (value: string) => `typeof ${value} === 'boolean'`,
  int: (value: string) => `Number.isSafeInteger(${value})`,
  float: (value: string) => `Number.isFinite(${value})`,
} as const;

export type PlainKind = keyof typeof PLAIN_CHECKS;

/**
 * Written as code and compiled, so that each list of fields has a literal and reads of its own: one loop for all lists
 * reads and writes by names that differ with every call, which V8 does by searching (ADR 43). Of a field nothing but its
 * name goes into the code, as a JSON string.
 */
export function compileAssembly<Run>(fields: readonly AssembledField<Run>[]): Assemble<Run> {
  const reads = fields.map(({ name, plain }, index) => {
    const value = `value${index}`;
    const key = JSON.stringify(name);
    const read = name in Object.prototype ? `getOwn(input, ${key})` : `input[${key}]`;
    const complete = `(${value} = complete${index}(${value}, run, input)) === BUBBLE`;
    const bubbles = plain === undefined ? complete : `!(${PLAIN_CHECKS[plain](value)}) && ${complete}`;
    return `let ${value} = ${read};\nif (${bubbles}) return undefined;`;
  });
  const entries = fields.map(({ name }, index) => `${JSON.stringify(name)}: value${index}`);
  const completes = fields.map((_field, index) => `complete${index}`);
  const assemble = `(input, run) => {\n${reads.join('\n')}\nreturn { ${entries.join(', ')} };\n}`;
  // oxlint-disable-next-line typescript/no-implied-eval -- names as JSON strings alone, and what is written here
  const bind = new Function('BUBBLE', 'getOwn', ...completes, `'use strict';\nreturn ${assemble};`);
  return bind(BUBBLE, getOwn, ...fields.map(({ complete }) => complete)) as Assemble<Run>;
}
