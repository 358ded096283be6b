import { getArgumentValues, getVariableValues, GraphQLError } from 'graphql';
import { rootFieldsOf } from './operation-size.ts';
import { type Operations, type PreparedOperation, PUBLISH, type Refusal } from './operations.ts';

/**
 * Why documents that an operation would publish cannot run: they do not fit the schema or a limit, or are planned for
 * too long. Undefined where nothing is wrong with them. The operation's variables must fit.
 */
export async function checkPublication(
  operations: Operations,
  prepared: PreparedOperation,
  variables: Record<string, unknown>,
): Promise<Refusal | undefined> {
  for (const [index, text] of documentsOf(operations, prepared, variables).entries()) {
    const built = await operations.prepare(text, undefined);
    if ('planned' in built) continue;
    return built.map(
      ({ message }) => new GraphQLError(`documents.${index}: ${message}`, { extensions: { code: 'BAD_USER_INPUT' } }),
    );
  }
  return undefined;
}

function documentsOf(
  { schema }: Operations,
  { document, node }: PreparedOperation,
  variables: Record<string, unknown>,
): string[] {
  const definition = schema.getMutationType()?.getFields()[PUBLISH];
  const { coerced = {} } = getVariableValues(schema, node.variableDefinitions ?? [], variables);
  if (definition === undefined) return [];
  return rootFieldsOf(document, node)
    .filter(({ name }) => name.value === PUBLISH)
    .flatMap((field) => {
      const { input } = getArgumentValues(definition, field, coerced) as { input: { documents: string[] } };
      return input.documents;
    });
}
