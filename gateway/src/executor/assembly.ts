import { getOwn, type JsonObject } from './json.ts';

/** In place of a value without which its whole object is null. */
export const BUBBLE = Symbol('bubble');

/** One field of an object. */
export interface AssembledField<Run> {
  /** Its response name. */
  name: string;
  /** Whether a value is answered as it is. */
  isPlain: ((value: unknown) => boolean) | undefined;
  /** What is answered in place of any other value, or BUBBLE. */
  complete: (value: unknown, run: Run, input: JsonObject) => unknown;
}

/** Fills an object's fields from what was fetched for it; undefined where one of them bubbled. */
export type Assemble<Run> = (input: JsonObject, run: Run) => JsonObject | undefined;

/**
 * Written as code and compiled, so that each list of fields has a literal and reads of its own: one loop for all lists
 * reads and writes by names that differ with every call, which V8 does by searching (ADR 43). Of a field nothing but its
 * name goes into the code, as a JSON string.
 */
export function compileAssembly<Run>(fields: readonly AssembledField<Run>[]): Assemble<Run> {
  const reads = fields.map(({ name, isPlain }, index) => {
    const value = `value${index}`;
    const key = JSON.stringify(name);
    const read = name in Object.prototype ? `getOwn(input, ${key})` : `input[${key}]`;
    const unlessPlain = isPlain === undefined ? '' : `!isPlain${index}(${value}) && `;
    const bubbles = `${unlessPlain}(${value} = complete${index}(${value}, run, input)) === BUBBLE`;
    return `let ${value} = ${read};\nif (${bubbles}) return undefined;`;
  });
  const entries = fields.map(({ name }, index) => `${JSON.stringify(name)}: value${index}`);
  const assemble = `(input, run) => {\n${reads.join('\n')}\nreturn { ${entries.join(', ')} };\n}`;
  const bound = { BUBBLE, getOwn, ...Object.fromEntries(fields.flatMap(functionsOf)) };
  // oxlint-disable-next-line typescript/no-implied-eval -- names as JSON strings alone, and what is written here
  const bind = new Function(...Object.keys(bound), `'use strict';\nreturn ${assemble};`);
  return bind(...Object.values(bound)) as Assemble<Run>;
}

/** What the code of a field calls. */
function functionsOf<Run>({ isPlain, complete }: AssembledField<Run>, index: number): [string, unknown][] {
  return [
    [`isPlain${index}`, isPlain],
    [`complete${index}`, complete],
  ];
}
