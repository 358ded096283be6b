import {
  getNamedType,
  getNullableType,
  type GraphQLEnumType,
  type GraphQLField,
  type GraphQLInputObjectType,
  type GraphQLInterfaceType,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isListType,
  isNonNullType,
  isObjectType,
  isSpecifiedScalarType,
} from 'graphql';

type Composite = GraphQLObjectType | GraphQLInterfaceType;
type Field = GraphQLField<unknown, unknown>;

/** Lists of objects that cannot grow without bound, each with what bounds it. */
const BOUNDED_LISTS: Readonly<Record<string, string>> = {
  'RecommendationEdge.reasons': 'the few items that contributed most',
  'TrainingRun.events': 'takes `first` and goes on after a sequence',
  'TrainingRun.versions': 'what one run makes',
  'ModelVersion.baselines': 'one of each baseline model',
  'QualityGate.checks': 'one of each condition',
  'Usage.days': 'those of one month',
  'Erasure.receipt': 'one line of each store and kept version: a chain that is verified whole',
  'ErasureVerification.checks': 'one of each store',
  'TuningTrial.settings': 'one of each setting that is tried',
};

/** The conventions of the API that a machine can check; what breaks one, as `Type.field: what was wanted`. */
export function findRuleViolations(schema: GraphQLSchema): string[] {
  const types = Object.values(schema.getTypeMap()).filter(
    (type) => !isIntrospectionType(type) && !isSpecifiedScalarType(type),
  );
  return [
    ...types.flatMap(checkDescriptions),
    ...types.flatMap((type) => (isObjectType(type) || isInterfaceType(type) ? checkFields(type) : [])),
    ...types.flatMap((type) => (isObjectType(type) && type.name.endsWith('Connection') ? checkConnection(type) : [])),
    ...fieldsOf(schema.getMutationType()).flatMap(checkMutation),
    ...fieldsOf(schema.getSubscriptionType()).flatMap(checkSubscription),
  ];
}

function fieldsOf(type: GraphQLObjectType | null | undefined): Field[] {
  return type ? Object.values(type.getFields()) : [];
}

function checkDescriptions(type: GraphQLNamedType): string[] {
  const parts: [string, string | null | undefined][] = [[type.name, type.description]];
  if (isEnumType(type)) parts.push(...describedValues(type));
  if (isInputObjectType(type)) parts.push(...describedInputs(type));
  if (isObjectType(type) || isInterfaceType(type)) {
    const isNode = type.getInterfaces().some(({ name }) => name === 'Node');
    for (const field of Object.values(type.getFields())) {
      // What a global id is, its interface says.
      if (!(isNode && field.name === 'id')) parts.push([`${type.name}.${field.name}`, field.description]);
      for (const { name, description } of field.args) parts.push([`${type.name}.${field.name}(${name}:)`, description]);
    }
  }
  const isRoot = ['Query', 'Mutation', 'Subscription'].includes(type.name);
  return parts
    .filter(([place, description]) => !description?.trim() && !(isRoot && place === type.name))
    .map(([place]) => `${place}: wanted a description`);
}

function describedValues(type: GraphQLEnumType): [string, string | null | undefined][] {
  return type.getValues().map(({ name, description }) => [`${type.name}.${name}`, description]);
}

function describedInputs(type: GraphQLInputObjectType): [string, string | null | undefined][] {
  return Object.values(type.getFields()).map(({ name, description }) => [`${type.name}.${name}`, description]);
}

function checkFields(type: Composite): string[] {
  return Object.values(type.getFields()).flatMap((field) => {
    const place = `${type.name}.${field.name}`;
    return [...checkPaging(field, place), ...checkList(field, place), ...checkDeprecation(field, place)];
  });
}

function checkPaging(field: Field, place: string): string[] {
  if (!getNamedType(field.type).name.endsWith('Connection')) return [];
  const first = field.args.find(({ name }) => name === 'first');
  const isRight = first !== undefined && first.type.toString() === 'Int!';
  return isRight ? [] : [`${place}: wanted first: Int!, as of every connection`];
}

function checkList(field: Field, place: string): string[] {
  const inner = getNamedType(field.type);
  const isListOfObjects = isListType(getNullableType(field.type)) && (isObjectType(inner) || isInterfaceType(inner));
  if (!isListOfObjects || field.name === 'edges' || field.name === 'userErrors' || place in BOUNDED_LISTS) return [];
  return [`${place}: wanted a connection, since a list of ${inner.name} can grow`];
}

function checkDeprecation({ deprecationReason }: Field, place: string): string[] {
  if (deprecationReason === undefined || deprecationReason === null) return [];
  return /\d{4}-\d{2}-\d{2}/.test(deprecationReason) ? [] : [`${place}: wanted the date from when it is deprecated`];
}

function checkConnection(type: GraphQLObjectType): string[] {
  const name = type.name.slice(0, -'Connection'.length);
  const { edges, pageInfo, totalCount } = type.getFields();
  const edge = edges && getNamedType(edges.type);
  const edgeFields = isObjectType(edge) ? edge.getFields() : {};
  return [
    ...(edges?.type.toString() === `[${name}Edge!]!` ? [] : [`${type.name}: wanted edges: [${name}Edge!]!`]),
    ...(pageInfo?.type.toString() === 'PageInfo!' ? [] : [`${type.name}: wanted pageInfo: PageInfo!`]),
    ...(totalCount === undefined ? [] : [`${type.name}.totalCount: wanted no count of all, which costs a scan`]),
    ...(edgeFields.cursor?.type.toString() === 'String!' ? [] : [`${name}Edge: wanted cursor: String!`]),
    ...(edgeFields.node !== undefined && isNonNullType(edgeFields.node.type) ? [] : [`${name}Edge: wanted node`]),
  ];
}

function checkMutation({ name, args, type }: Field): string[] {
  const place = `Mutation.${name}`;
  const own = name.charAt(0).toUpperCase() + name.slice(1);
  const payload = getNullableType(type);
  const userErrors = isObjectType(payload) ? payload.getFields().userErrors?.type.toString() : undefined;
  const input = args.map((argument) => `${argument.name}: ${argument.type.toString()}`).join(', ');
  return [
    ...(/^[a-z]+[A-Z]/.test(name) ? [] : [`${place}: wanted a verb and a noun`]),
    ...(input === `input: ${own}Input!` ? [] : [`${place}: wanted input: ${own}Input!, got ${input}`]),
    ...(type.toString() === `${own}Payload!` ? [] : [`${place}: wanted ${own}Payload!, got ${type.toString()}`]),
    ...(userErrors === '[UserError!]!' ? [] : [`${place}: wanted userErrors: [UserError!]! in its payload`]),
  ];
}

function checkSubscription({ name, args, type }: Field): string[] {
  const event = getNamedType(type);
  const sequence =
    isObjectType(event) || isInterfaceType(event) ? event.getFields().sequence?.type.toString() : undefined;
  return [
    ...(args.some((argument) => argument.name === 'afterSequence')
      ? []
      : [`Subscription.${name}: wanted afterSequence, to resume by`]),
    ...(sequence === 'Int!' ? [] : [`Subscription.${name}: wanted sequence: Int! in ${event.name}`]),
  ];
}
