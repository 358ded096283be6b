import {
  buildASTSchema,
  type DefinitionNode,
  type DocumentNode,
  execute,
  extendSchema,
  getNamedType,
  GraphQLError,
  type GraphQLFieldResolver,
  type GraphQLOutputType,
  type GraphQLSchema,
  isAbstractType,
  isEnumType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  parse,
} from 'graphql';
import { isObject, TYPENAME } from './json.ts';
import { hash } from '@kindred/testing/random';

/** What goes wrong in the stub subgraphs, in parts of a thousand; the same seed makes the same things go wrong. */
export interface Weather {
  seed: number;
  errors: number;
  nulls: number;
}

interface StubContext {
  weather: Weather;
  subgraph: string;
}

interface StubObject extends Record<string, unknown> {
  __typename: string;
  /** What the object is, the same in all subgraphs for entities of the same id. */
  identity: string;
}

/** A subgraph that answers any operation with values that depend on nothing but the object, the field and its arguments. */
export function createStubSubgraph(name: string, sdl: string) {
  const schema = buildStubSchema(sdl);
  const documents = new Map<string, DocumentNode>();
  return async (body: { query: string; variables: Record<string, unknown> }, weather: Weather) => {
    let document = documents.get(body.query);
    if (document === undefined) documents.set(body.query, (document = parse(body.query)));
    return await execute({
      schema,
      document,
      variableValues: body.variables,
      contextValue: { weather, subgraph: name } satisfies StubContext,
      fieldResolver: resolveField,
      typeResolver: (value: StubObject) => value[TYPENAME],
    });
  };
}

function buildStubSchema(sdl: string): GraphQLSchema {
  const options = { assumeValid: true, assumeValidSDL: true };
  const document = parse(sdl);
  // The `extend schema @link` would be an extension of nothing.
  const definitions = document.definitions.filter(({ kind }) => kind !== Kind.SCHEMA_EXTENSION).map(asDefinition);
  const schema = buildASTSchema({ kind: Kind.DOCUMENT, definitions }, options);
  const entities = Object.values(schema.getTypeMap()).filter(
    (type) => isObjectType(type) && type.astNode?.directives?.some((directive) => directive.name.value === 'key'),
  );
  if (entities.length === 0) return schema;
  const extension = `scalar _Any union _Entity = ${entities.map((type) => type.name).join(' | ')}
    extend type Query { _entities(representations: [_Any!]!): [_Entity]! }`;
  return extendSchema(schema, parse(extension), options);
}

/** A subgraph of the first federation extends types that others define. */
function asDefinition(node: DefinitionNode): DefinitionNode {
  if (node.kind === Kind.OBJECT_TYPE_EXTENSION) return { ...node, kind: Kind.OBJECT_TYPE_DEFINITION };
  if (node.kind === Kind.INTERFACE_TYPE_EXTENSION) return { ...node, kind: Kind.INTERFACE_TYPE_DEFINITION };
  return node;
}

const resolveField: GraphQLFieldResolver<StubObject | undefined, StubContext, Record<string, unknown>> = (
  ...[source, args, { weather, subgraph }, info]
) => {
  const { fieldName, returnType, parentType } = info;
  if (fieldName === '_entities') {
    return (args.representations as Record<string, unknown>[]).map((given) => toEntity(given, info.schema));
  }
  const given = source?.[fieldName];
  if (given !== undefined) return given;
  const identity = `${source?.identity ?? parentType.name}.${fieldName}(${JSON.stringify(args)})`;
  // An input of `@requires` is in the representation: what is computed from it shows whether it arrived.
  const field = parentType.getFields()[fieldName];
  const requires = field?.astNode?.directives?.find(({ name }) => name.value === 'requires');
  const inputs = requires === undefined ? '' : inputsOf(source?.representation);
  const fate = hash(`${weather.seed} ${identity}`) % 1000;
  if (fate < weather.errors) {
    const code = fate % 2 === 0 ? 'NOT_FOUND' : 'FORBIDDEN';
    throw new GraphQLError(`No ${fieldName} in ${subgraph}`, { extensions: { code } });
  }
  return makeValue(returnType, {
    identity: identity + inputs,
    nulls: weather.nulls,
    seed: weather.seed,
    schema: info.schema,
  });
};

function toEntity(representation: Record<string, unknown>, schema: GraphQLSchema): StubObject {
  const { __typename: named, ...rest } = representation;
  const id = typeof rest.id === 'string' ? rest.id : JSON.stringify(rest);
  const type = schema.getType(String(named));
  // An entity asked for by its interface says what it is.
  const possible = isAbstractType(type) ? schema.getPossibleTypes(type) : [];
  const typename = possible[hash(id) % possible.length]?.name ?? String(named);
  return { ...rest, __typename: typename, identity: `${typename}:${id}`, representation };
}

/** What a representation says beside what entity it is, in whichever order. */
function inputsOf(representation: unknown): string {
  return JSON.stringify(representation, (key, value: unknown) => {
    if (!isObject(value)) return value;
    const given = Object.entries(value).filter(([name]) => key !== '' || !['__typename', 'id'].includes(name));
    return Object.fromEntries(given.toSorted(([one], [other]) => (one < other ? -1 : 1)));
  });
}

interface Making {
  identity: string;
  nulls: number;
  seed: number;
  schema: GraphQLSchema;
}

function makeValue(type: GraphQLOutputType, making: Making): unknown {
  if (isNonNullType(type)) return makeValue(type.ofType, { ...making, nulls: 0 });
  const number = hash(making.identity);
  if (hash(`${making.seed} null ${making.identity}`) % 1000 < making.nulls) return null;
  if (isListType(type)) {
    const element = (index: number) => ({ ...making, identity: `${making.identity}[${index}]` });
    return Array.from({ length: number % 4 }, (_, index) => makeValue(type.ofType, element(index)));
  }
  if (isAbstractType(type)) {
    const types = making.schema.getPossibleTypes(type);
    const chosen = types[number % types.length];
    return chosen === undefined ? null : makeValue(chosen, making);
  }
  if (isObjectType(type)) {
    if (!('id' in type.getFields())) return { __typename: type.name, identity: making.identity };
    // Few ids, so that the same entity comes up often in one answer.
    const id = `${type.name.toLowerCase()}_${number % 5}`;
    return { __typename: type.name, id, identity: `${type.name}:${id}` };
  }
  if (isEnumType(type)) return type.getValues()[number % type.getValues().length]?.name;
  return makeScalar(getNamedType(type).name, making.identity, number);
}

function makeScalar(type: string, identity: string, number: number): unknown {
  if (type === 'Int') return number % 1000;
  if (type === 'Float') return (number % 1000) / 8;
  if (type === 'Boolean') return number % 2 === 0;
  if (type === 'JSONObject') return { number: number % 10, list: [1, null, { __proto__: null, constructor: 'x' }] };
  if (type === 'ID') return `id_${number % 5}`;
  return `${identity.slice(-24)} ${number % 100}`;
}
