import type { GraphQLSchema } from 'graphql';

/** What the gateway knows an entity by: its type and the fields of its key. */
export interface EntityReference {
  __typename: string;
}

/**
 * Finds many entities of one type, in the order of their references: null for what is not there, an error for a
 * reference that cannot be answered. What it gives may be shared by requests: it is only marked with its type.
 */
export type FindEntities<Reference, Context> = (
  references: readonly Reference[],
  context: Context,
) => Promise<readonly (object | null)[]>;

/** The finder of each type that has one. */
export type EntityFinders<Context> = Readonly<Record<string, FindEntities<never, Context>>>;

/**
 * Answers `_entities` of these types by one call for a list, after which graphql-js goes on without a promise for each
 * entity: they cost more than the look-up. Lists of several types are left to `__resolveReference`. Changes the schema
 * in place.
 */
export function batchEntities(schema: GraphQLSchema, finders: EntityFinders<never>): void {
  const { _entities: field } = schema.getQueryType()?.getFields() ?? {};
  const oneByOne = field?.resolve;
  if (field === undefined || oneByOne === undefined)
    throw new Error('Wanted a subgraph with entities, got one without.');
  // oxlint-disable-next-line max-params -- graphql-js gives a resolver four
  field.resolve = async (source, args: { representations: readonly EntityReference[] }, context, info) => {
    const { representations } = args;
    const [typeName = '', ...others] = new Set(representations.map(({ __typename }) => __typename));
    const find = Object.hasOwn(finders, typeName) ? finders[typeName] : undefined;
    if (find === undefined || others.length > 0) return await oneByOne(source, args, context, info);
    // As with references one by one: what fails is the error of each place, and not of the list.
    const fail = (error: unknown) => representations.map(() => asError(error));
    const entities = await find(representations as readonly never[], context as never).catch(fail);
    for (const entity of entities) markType(entity, typeName);
    return entities;
  };
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(`Entities were not found: ${String(error)}`);
}

/** As @apollo/subgraph does it, which tells the types of a union by this; once for what is kept. */
function markType(entity: object | null, typeName: string): void {
  if (entity === null || entity instanceof Error || '__typename' in entity) return;
  Object.defineProperty(entity, '__typename', { value: typeName });
}
