import { type DocumentNode, type OperationDefinitionNode, parseValue, print, visit } from 'graphql';

/** The operation with its variables written in as literals: it can be pasted into any GraphQL tool and run as it is. */
export function runnableQuery(document: DocumentNode, variables: Record<string, unknown>): string {
  const inlined = visit(document, {
    OperationDefinition: (node): OperationDefinitionNode => ({ ...node, variableDefinitions: [] }),
    Field: (node) => (node.name.value === '__typename' ? null : undefined),
    Variable: (node) => parseValue(literalOf(variables[node.name.value])),
  });
  return print(inlined);
}

/** A shell command that sends `query` to the gateway with an API key from the environment. */
export function curlCommand(apiOrigin: string, query: string): string {
  const body = JSON.stringify({ query }).replaceAll(`'`, String.raw`'\''`);
  return [
    `curl ${apiOrigin}/graphql`,
    `  -H 'content-type: application/json'`,
    `  -H "authorization: Bearer $KINDRED_API_KEY"`,
    `  --data '${body}'`,
  ].join(' \\\n');
}

/** A JSON-like value as a GraphQL literal. Strings are quoted as in JSON, whose escapes GraphQL knows; keys are not quoted. */
function literalOf(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(literalOf).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value).filter(([, field]) => field !== undefined);
    return `{${fields.map(([key, field]) => `${key}: ${literalOf(field)}`).join(', ')}}`;
  }
  return JSON.stringify(value ?? null);
}
