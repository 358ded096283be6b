import {
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputField,
  type GraphQLInputType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  isRequiredArgument,
  isRequiredInputField,
  print,
  astFromValue,
} from 'graphql';

export interface GeneratedOperation {
  kind: 'query' | 'mutation' | 'subscription';
  /** The root field, such as `Query.items`. */
  coordinate: string;
  document: string;
  /** The same with next to nothing below the root field: it costs what anybody may spend. */
  shallow: string;
}

/** Values by argument or input field name: what the tenant under attack has. */
export type KnownValues = Readonly<Record<string, unknown>>;

// One level more, and the largest has more selections than an operation may.
const MAX_DEPTH = 5;

/** One operation per root field of the schema, which selects every field below it that needs no further argument. */
export function generateOperations(schema: GraphQLSchema, known: (coordinate: string) => KnownValues) {
  const covered = new Set<string>();
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
  const operations = roots.flatMap((root) => {
    if (!root) return [];
    const kind = root.name.toLowerCase() as GeneratedOperation['kind'];
    return Object.values(root.getFields()).map((field): GeneratedOperation => {
      const coordinate = `${root.name}.${field.name}`;
      covered.add(coordinate);
      const call = `${field.name}${writeArguments(field.args, known(coordinate))}`;
      const shallow = isLeafType(getNamedType(field.type)) ? call : `${call} { __typename }`;
      const document = `${kind} { ${call} ${select(field.type, { covered, path: [] })} }`;
      return { kind, coordinate, document, shallow: `${kind} { ${shallow} }` };
    });
  });
  return { operations, covered };
}

/** The fields of every object type that a client can reach. */
export function listFields(schema: GraphQLSchema): string[] {
  return Object.values(schema.getTypeMap())
    .filter((type): type is GraphQLObjectType => isObjectType(type) && !type.name.startsWith('__'))
    .flatMap((type) => Object.keys(type.getFields()).map((field) => `${type.name}.${field}`));
}

/** Everything that can be selected of a type, in braces; nothing for a leaf. */
export function select(type: GraphQLOutputType, walk: { covered: Set<string>; path: readonly string[] }): string {
  const named = getNamedType(type);
  if (isLeafType(named)) return '';
  if (!isObjectType(named)) return '{ __typename }';
  const fields = Object.values(named.getFields()).flatMap((field) => selectField(named, field, walk));
  return fields.length === 0 ? '{ __typename }' : `{ ${fields.join(' ')} }`;
}

function selectField(
  parent: GraphQLObjectType,
  field: GraphQLField<unknown, unknown>,
  { covered, path }: { covered: Set<string>; path: readonly string[] },
): string[] {
  const named = getNamedType(field.type);
  // A type within itself adds nothing but cost.
  if (isObjectType(named) && (path.includes(named.name) || path.length >= MAX_DEPTH)) return [];
  covered.add(`${parent.name}.${field.name}`);
  const below = select(field.type, { covered, path: [...path, parent.name] });
  return [`${field.name}${writeArguments(field.args, { first: 2 })} ${below}`];
}

function writeArguments(args: readonly GraphQLArgument[], known: KnownValues): string {
  const given = args
    .filter((argument) => argument.name in known || isRequiredArgument(argument) || argument.name === 'first')
    .map(
      (argument) => `${argument.name}: ${write(argument, argument.name === 'first' ? { first: 2, ...known } : known)}`,
    );
  return given.length === 0 ? '' : `(${given.join(', ')})`;
}

function write({ name, type }: GraphQLArgument | GraphQLInputField, known: KnownValues): string {
  const node = astFromValue(makeValue(type, { name, known }), type);
  if (!node) throw new Error(`No value is known for ${name}: ${String(type)}`);
  return print(node);
}

function makeValue(type: GraphQLInputType, { name, known }: { name: string; known: KnownValues }): unknown {
  if (isNonNullType(type)) return makeValue(type.ofType, { name, known });
  if (isListType(type)) return [makeValue(type.ofType, { name, known })];
  if (isInputObjectType(type)) {
    const fields = Object.values(type.getFields()).filter(
      (field) => field.name in known || isRequiredInputField(field),
    );
    return Object.fromEntries(fields.map((field) => [field.name, makeValue(field.type, { name: field.name, known })]));
  }
  if (name in known) return known[name];
  if (isEnumType(type)) return type.getValues()[0]?.value;
  if (type.name === 'Int' || type.name === 'Float') return 1;
  if (type.name === 'Boolean') return false;
  return `a ${name} of the test`;
}
