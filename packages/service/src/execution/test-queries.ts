import type { Random } from '@kindred/testing/random';
import {
  getNamedType,
  type GraphQLField,
  type GraphQLSchema,
  isAbstractType,
  isCompositeType,
  isInterfaceType,
  isObjectType,
  type GraphQLNamedType,
} from 'graphql';

/** A query with aliases, arguments, variables and fragments of both kinds; not always a valid one. */
export function randomQuery(schema: GraphQLSchema, random: Random): string {
  const fragments: string[] = [];
  const argumentsOf = ({ args }: GraphQLField<unknown, unknown>): string => {
    const given = args.flatMap(({ name, type }) => {
      const values = ARGUMENTS[type.toString()] ?? [];
      return type.toString().endsWith('!') || random.chance(0.5) ? [`${name}: ${random.pick(values)}`] : [];
    });
    return given.length === 0 ? '' : `(${given.join(', ')})`;
  };
  const fieldOf = (type: GraphQLNamedType, depth: number): string => {
    const fields = 'getFields' in type ? (Object.values(type.getFields()) as GraphQLField<unknown, unknown>[]) : [];
    const open = fields.filter((field) => depth > 0 || !isCompositeType(getNamedType(field.type)));
    if (open.length === 0 || random.chance(0.1)) return random.chance(0.5) ? '__typename' : 'kind: __typename';
    const field = random.pick(open);
    const alias = random.chance(0.2) ? `${random.pick(['a', 'b', 'constructor', 'toString', '__proto__'])}: ` : '';
    const inner = getNamedType(field.type);
    const selection = isCompositeType(inner) ? ` ${selectionOf(inner, depth - 1)}` : '';
    return `${alias}${field.name}${argumentsOf(field)}${selection}`;
  };
  const selectionOf = (type: GraphQLNamedType, depth: number): string => {
    const selections = Array.from({ length: 1 + random.below(4) }, () => {
      const kind = random.next();
      if (kind < 0.75) return fieldOf(type, depth);
      const condition = conditionFor(type);
      if (kind < 0.9)
        return `...${random.chance(0.3) ? '' : ` on ${condition.name}`} ${selectionOf(condition, depth - 1)}`;
      const name = `F${fragments.length}`;
      fragments.push('');
      fragments[Number(name.slice(1))] = `fragment ${name} on ${condition.name} ${selectionOf(condition, depth - 1)}`;
      return `...${name} ...${name}`;
    });
    return `{ ${selections.join(' ')} }`;
  };
  const conditionFor = (type: GraphQLNamedType): GraphQLNamedType => {
    if (isAbstractType(type) && random.chance(0.8)) return random.pick(schema.getPossibleTypes(type));
    const interfaces = isObjectType(type) || isInterfaceType(type) ? type.getInterfaces() : [];
    return interfaces.length > 0 && random.chance(0.3) ? random.pick(interfaces) : type;
  };
  const query = schema.getQueryType();
  if (!query) throw new Error('The schema has no queries');
  const selection = selectionOf(query, 4);
  const variables = Object.entries(VARIABLES).filter(([name]) =>
    [selection, ...fragments].some((text) => text.includes(`$${name}`)),
  );
  const defined = variables.map(([name, definition]) => `$${name}: ${definition}`).join(', ');
  return `query${defined && `(${defined})`} ${selection} ${fragments.join(' ')}`;
}

const VARIABLES: Readonly<Record<string, string>> = { count: 'Int = 1', needed: 'ID!', mood: 'Mood', filter: 'Filter' };

/** Literals and variables for an argument by its type. */
const ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  Int: ['0', '3', 'null', '$count'],
  'ID!': ['"1"', '2', '$needed'],
  Mood: ['GOOD', '$mood'],
  Filter: ['{}', '{ like: ["a"], above: 2 }', '{ like: "b" }', '$filter'],
};
