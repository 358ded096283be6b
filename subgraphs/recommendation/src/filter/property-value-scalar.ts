import { GraphQLError, GraphQLScalarType, valueFromASTUntyped } from 'graphql';
import { isPropertyValue, type PropertyValue } from './catalogue-columns.ts';

function read(value: unknown): PropertyValue {
  if (isPropertyValue(value)) return value;
  throw new GraphQLError(`Wanted a text, a number or a boolean, got ${JSON.stringify(value)}.`);
}

/** The scalar `PropertyValue`: a text, a number or a boolean. */
export const propertyValueScalar = new GraphQLScalarType<PropertyValue, PropertyValue>({
  name: 'PropertyValue',
  serialize: read,
  parseValue: read,
  parseLiteral: (node) => read(valueFromASTUntyped(node)),
});
