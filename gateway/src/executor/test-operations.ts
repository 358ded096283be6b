import {
  type GraphQLArgument,
  type GraphQLCompositeType,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isObjectType,
  isUnionType,
} from 'graphql';
import type { Random } from '@kindred/testing/random';

export interface TestOperation {
  query: string;
  variables: Record<string, unknown>;
}

const MAX_DEPTH = 6;

/** A random operation: aliases, fragments, variables, `@skip` and `@include`, the same fields asked for twice. Most are valid. */
export function randomOperation(schema: GraphQLSchema, random: Random): TestOperation {
  const kind = random.chance(0.15) && schema.getMutationType() ? 'mutation' : 'query';
  const root = kind === 'query' ? schema.getQueryType() : schema.getMutationType();
  if (!root) throw new Error(`The schema has no ${kind} type`);
  const writer = new OperationWriter(schema, random);
  const body = writer.selectionSet(root, 0);
  const definitions = writer.variableDefinitions.length === 0 ? '' : `(${writer.variableDefinitions.join(', ')})`;
  return { query: `${kind}${definitions} ${body} ${writer.fragments.join(' ')}`, variables: writer.variables };
}

class OperationWriter {
  readonly #schema: GraphQLSchema;
  readonly #random: Random;
  readonly variables: Record<string, unknown> = {};
  readonly variableDefinitions: string[] = [];
  readonly fragments: string[] = [];
  readonly #fragmentNames = new Map<string, string[]>();
  /** A field asked for twice under one name has the same arguments both times. */
  readonly #arguments = new Map<string, string>();
  #selections = 0;

  constructor(schema: GraphQLSchema, random: Random) {
    this.#schema = schema;
    this.#random = random;
  }

  selectionSet(type: GraphQLCompositeType, depth: number): string {
    const count = 1 + this.#random.below(depth === 0 ? 3 : 4);
    const selections = Array.from({ length: count }, () => this.#selection(type, depth));
    return `{ ${selections.join(' ')} }`;
  }

  #selection(type: GraphQLCompositeType, depth: number): string {
    this.#selections += 1;
    const random = this.#random;
    if (random.chance(0.08)) return `${random.chance(0.4) ? `${this.#alias()}: ` : ''}__typename${this.#condition()}`;
    if (depth < MAX_DEPTH && random.chance(0.2)) return this.#fragment(type, depth);
    const fields = isUnionType(type) ? [] : Object.values(type.getFields());
    const wanted = fields.filter((field) =>
      depth < MAX_DEPTH && this.#selections < 60 ? true : !isCompositeType(getNamedType(field.type)),
    );
    if (wanted.length === 0) return '__typename';
    return this.#field(type, random.pick(wanted), depth);
  }

  #field(type: GraphQLCompositeType, field: GraphQLField<unknown, unknown>, depth: number): string {
    const aliased = this.#random.chance(0.2);
    const key = `${type.name}.${field.name}`;
    const given = (aliased ? undefined : this.#arguments.get(key)) ?? this.#argumentList(field.args);
    if (!aliased) this.#arguments.set(key, given);
    const inner = getNamedType(field.type);
    const below = isCompositeType(inner) ? ` ${this.selectionSet(inner, depth + 1)}` : '';
    return `${aliased ? `${this.#alias()}: ` : ''}${field.name}${given}${this.#condition()}${below}`;
  }

  #fragment(type: GraphQLCompositeType, depth: number): string {
    const random = this.#random;
    const on = this.#typeCondition(type);
    if (random.chance(0.5)) {
      const condition = random.chance(0.2) && on === type ? '' : ` on ${on.name}`;
      return `...${condition}${this.#condition()} ${this.selectionSet(on, depth + 1)}`;
    }
    const known = this.#fragmentNames.get(on.name) ?? [];
    if (known.length > 0 && random.chance(0.5)) return `...${random.pick(known)}${this.#condition()}`;
    const body = this.selectionSet(on, depth + 1);
    const name = `F${this.fragments.length}`;
    this.fragments.push(`fragment ${name} on ${on.name} ${body}`);
    this.#fragmentNames.set(on.name, [...(this.#fragmentNames.get(on.name) ?? []), name]);
    return `...${name}${this.#condition()}`;
  }

  #typeCondition(type: GraphQLCompositeType): GraphQLCompositeType {
    if (this.#random.chance(0.3)) return type;
    if (isAbstractType(type)) return this.#random.pick(this.#schema.getPossibleTypes(type));
    return this.#random.pick([type, ...(isObjectType(type) ? type.getInterfaces() : [])]);
  }

  #alias(): string {
    // Names that every object inherits are names like any other.
    return this.#random.chance(0.05)
      ? this.#random.pick(['constructor', 'toString', 'valueOf'])
      : `a${this.#random.below(40)}`;
  }

  #condition(): string {
    const random = this.#random;
    if (!random.chance(0.12)) return '';
    const value = random.chance(0.4)
      ? String(random.chance(0.5))
      : this.#variable(random.chance(0.3) ? 'Boolean = true' : 'Boolean!', random.chance(0.5));
    return ` @${random.pick(['skip', 'include'])}(if: ${value})`;
  }

  #variable(definition: string, value: unknown): string {
    const name = `v${this.variableDefinitions.length}`;
    this.variableDefinitions.push(`$${name}: ${definition}`);
    if (!definition.includes('=') || this.#random.chance(0.5)) this.variables[name] = value;
    return `$${name}`;
  }

  #argumentList(args: readonly GraphQLArgument[]): string {
    const given = args.filter(
      ({ type, defaultValue }) => (isNonNullType(type) && defaultValue === undefined) || this.#random.chance(0.4),
    );
    const written = given.map(({ name, type }) => {
      const value = this.#inputValue(type, 0);
      return `${name}: ${this.#random.chance(0.5) ? this.#variable(type.toString(), value) : literal(value, type)}`;
    });
    return written.length === 0 ? '' : `(${written.join(', ')})`;
  }

  #inputValue(type: GraphQLInputType, depth: number): unknown {
    const random = this.#random;
    if (isNonNullType(type)) return this.#inputValue(type.ofType, depth);
    if (isListType(type))
      return Array.from({ length: random.below(3) }, () => this.#inputValue(type.ofType, depth + 1));
    if (isEnumType(type)) return random.pick(type.getValues()).name;
    if (isInputObjectType(type)) {
      const fields = Object.values(type.getFields()).filter(
        (field) => isNonNullType(field.type) || (depth < 2 && random.chance(0.3)),
      );
      return Object.fromEntries(fields.map((field) => [field.name, this.#inputValue(field.type, depth + 1)]));
    }
    if (type.name === 'Int') return 1 + random.below(9);
    if (type.name === 'Float') return random.below(9) + 0.5;
    if (type.name === 'Boolean') return random.chance(0.5);
    if (type.name === 'JSONObject') return { a: 1 };
    return random.pick(['u1', 'u2', 'é"\\\n']);
  }
}

function literal(value: unknown, type: GraphQLInputType): string {
  if (isNonNullType(type)) return literal(value, type.ofType);
  if (isEnumType(type)) return String(value);
  if (Array.isArray(value) && isListType(type))
    return `[${value.map((element) => literal(element, type.ofType)).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const fields = isInputObjectType(type) ? type.getFields() : {};
  const written = Object.entries(value).map(([name, inner]) => {
    const field = fields[name];
    return `${name}: ${field === undefined ? JSON.stringify(inner) : literal(inner, field.type)}`;
  });
  return `{ ${written.join(', ')} }`;
}
