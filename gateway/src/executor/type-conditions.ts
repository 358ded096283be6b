import { type GraphQLSchema, isAbstractType } from 'graphql';

/** Which values of `__typename` a type condition admits. */
export interface TypeConditions {
  matching(typeCondition: string): ReadonlySet<unknown>;
}

export function createTypeConditions(schema: GraphQLSchema): TypeConditions {
  const known = new Map<string, ReadonlySet<unknown>>();
  return {
    matching: (typeCondition) => {
      const matches = known.get(typeCondition) ?? namesOf(schema, typeCondition);
      known.set(typeCondition, matches);
      return matches;
    },
  };
}

function namesOf(schema: GraphQLSchema, typeCondition: string): ReadonlySet<unknown> {
  const type = schema.getType(typeCondition);
  if (!isAbstractType(type)) return new Set([typeCondition]);
  const { interfaces = [], objects = [] } = 'getTypes' in type ? {} : schema.getImplementations(type);
  return new Set([
    typeCondition,
    ...[...interfaces, ...objects, ...schema.getPossibleTypes(type)].map(({ name }) => name),
  ]);
}
