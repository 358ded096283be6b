/** In place of a value without which its whole object is null. */
export const BUBBLE = Symbol('bubble');

export type Source = Readonly<Record<string, unknown>>;

/** One field of an object. */
export interface AssembledField<Run> {
  /** Its response name. */
  name: string;
  /** The property of the source that it is read from; undefined where it is read from none. */
  property: string | undefined;
  /** Whether that value is answered as it is. */
  isPlain: ((value: unknown) => boolean) | undefined;
  /** What is answered in place of any other value, or of an Unreadable; or BUBBLE. */
  complete: (value: unknown, run: Run, source: Source) => unknown;
}

/** In place of a property that throws when it is read. */
export class Unreadable {
  readonly cause: unknown;

  constructor(cause: unknown) {
    this.cause = cause;
  }
}

/** Fills an object's fields; undefined where one of them bubbled. @throws what completing a field throws */
export type Assemble<Run> = (source: Source, run: Run) => Record<string, unknown> | undefined;

/**
 * Written as code and compiled, so that each list of fields has a literal and reads of its own: one loop for all lists
 * reads and writes by names that differ with every call, which V8 does by searching (ADR 43). Of a field nothing but its
 * two names goes into the code, as JSON strings.
 */
export function compileAssembly<Run>(fields: readonly AssembledField<Run>[]): Assemble<Run> {
  const statements = fields.map(({ property, isPlain }, index) => {
    const value = `value${index}`;
    const unlessPlain = isPlain === undefined ? '' : `!isPlain${index}(${value}) && `;
    return [
      `let ${value};`,
      `try { ${value} = ${readOf(property)}; } catch (cause) { ${value} = new Unreadable(cause); }`,
      `if (${unlessPlain}(${value} = complete${index}(${value}, run, source)) === BUBBLE) return undefined;`,
    ].join('\n');
  });
  const entries = fields.map(({ name }, index) => `${keyOf(name)}: value${index}`);
  const assemble = `(source, run) => {\n${statements.join('\n')}\nreturn { ${entries.join(', ')} };\n}`;
  const bound = { BUBBLE, Unreadable, ...Object.fromEntries(fields.flatMap(functionsOf)) };
  // oxlint-disable-next-line typescript/no-implied-eval -- names as JSON strings alone, and what is written here
  const bind = new Function(...Object.keys(bound), `'use strict';\nreturn ${assemble};`);
  return bind(...Object.values(bound)) as Assemble<Run>;
}

/** Never what every object inherits, such as `constructor`. */
function readOf(property: string | undefined): string {
  if (property === undefined) return 'undefined';
  const read = `source[${JSON.stringify(property)}]`;
  return property in Object.prototype
    ? `Object.hasOwn(source, ${JSON.stringify(property)}) ? ${read} : undefined`
    : read;
}

/** In a literal `__proto__` is no property unless it is computed. */
function keyOf(name: string): string {
  return name === '__proto__' ? `[${JSON.stringify(name)}]` : JSON.stringify(name);
}

/** What the code of a field calls. */
function functionsOf<Run>({ isPlain, complete }: AssembledField<Run>, index: number): [string, unknown][] {
  return [
    [`isPlain${index}`, isPlain],
    [`complete${index}`, complete],
  ];
}
