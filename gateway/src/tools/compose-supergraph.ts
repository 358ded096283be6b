import { readFile } from 'node:fs/promises';
import { composeServices } from '@apollo/composition';
import { parse, printSchema } from 'graphql';
import { SUBGRAPHS } from '../subgraphs.ts';
import { buildSupergraph } from '../supergraph.ts';

const SUBGRAPHS_FOLDER = new URL('../../../subgraphs/', import.meta.url);

const HEADER = `# Composed from subgraphs/*/schema.graphql by \`npm run compose -w gateway\`; do not edit.
# biome-ignore-all format: the composer's own form is compared with this file
`;

export interface ComposedGraph {
  /** What the gateway runs on: with the join directives and the security rules. */
  supergraphSdl: string;
  /** What clients see, descriptions included and `@inaccessible` parts left out. */
  apiSdl: string;
}

/**
 * The four `schema.graphql` files as one graph, without asking a live subgraph. Deterministic.
 * @throws Error that lists every composition error.
 */
export async function composeSupergraph(): Promise<ComposedGraph> {
  const services = await Promise.all(
    SUBGRAPHS.map(async (name) => {
      const file = new URL(`${name}/schema.graphql`, SUBGRAPHS_FOLDER);
      return { name, url: `http://${name}.invalid/graphql`, typeDefs: parse(await readFile(file, 'utf8')) };
    }),
  );
  const result = composeServices(services);
  if (result.errors !== undefined) {
    const reasons = result.errors.map((error) => `- ${error.message}`).join('\n');
    throw new Error(`The ${services.length} subgraph schemas do not compose:\n${reasons}`);
  }
  return {
    supergraphSdl: `${HEADER}${result.supergraphSdl.trim()}\n`,
    apiSdl: `${HEADER}${printSchema(buildSupergraph(result.supergraphSdl).apiSchema().toGraphQLJSSchema({ includeDefer: true })).trim()}\n`,
  };
}
